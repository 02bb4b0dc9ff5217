"""Draws a causal slice as a Mermaid sequence diagram: at most 60 arrows, with a note about omitted ones."""

from collections.abc import Sequence

from chaosqs.model.causal_slice import Slice
from chaosqs.report.arrows import Actors, Arrow, Drawing
from chaosqs.report.descriptions import DESCRIPTIONS
from chaosqs.report.text import counted, mermaid

MOST_ARROWS = 60


def sequence(story: Slice) -> str:
    """Return the diagram of the whole slice, or, if that is too long, of the messages concerned."""
    whole = story.without_retries(story.indexes)
    actors, arrows = _drawn(story, whole)
    if len(arrows) > MOST_ARROWS:
        actors, arrows = _drawn(story, [index for index in whole if story.concerns(index)])
    left, right = arrows, list[Arrow]()
    omitted: list[str] = []
    if len(arrows) > MOST_ARROWS:
        left, right = arrows[: MOST_ARROWS // 2], arrows[-(MOST_ARROWS // 2 - 1) :]
        count = sum(arrow.events for arrow in arrows[len(left) : -len(right)])
        words = mermaid(f"… {counted(count, 'event')} omitted")
        omitted = [f"    Note over {left[-1].source}: {words}"]
    lines = [*(arrow.text() for arrow in left), *omitted, *(arrow.text() for arrow in right)]
    return "\n".join(["sequenceDiagram", *actors.declarations(), *lines])


def _drawn(story: Slice, indexes: Sequence[int]) -> tuple[Actors, list[Arrow]]:
    actors, arrows = Actors.of(story, indexes), list[Arrow]()
    for index in indexes:
        event = story.event(index)
        arrow = DESCRIPTIONS[type(event)].arrow(event, Drawing(actors, index))
        joined = arrows[-1].joined(arrow) if arrows and arrow else None
        if joined:
            arrows[-1] = joined
        elif arrow:
            arrows.append(arrow)
    return actors, arrows
