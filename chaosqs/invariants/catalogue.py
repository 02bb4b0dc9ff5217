"""Every invariant, one line each, in the order in which reports list them. A new one is registered by its line here."""


# isort: off
