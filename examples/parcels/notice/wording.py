"""The words of a notice."""


def sentence(notice):
    return f"Your parcel {notice.get('parcel')} has reached {notice.get('place')}."
