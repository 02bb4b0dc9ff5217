"""A found counterexample: one value, one JSON file, from which every report is rendered and every replay starts."""

from collections.abc import Mapping

import attrs

from chaosqs.model.explanation import Explanation
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation


@attrs.frozen
class Counterexample:
    """A scenario in which an invariant is violated, with everything that a report says about it."""

    design: str
    """Name of the design: the file that it was read from."""
    mapping: str
    """`orders→worker`."""
    invariant: str
    """Name of the invariant: `no-dead-lettering-by-throttling`."""
    violation: Violation
    scenario: Scenario
    digest: str
    """`History.digest` of the scenario: a replay compares it."""
    versions: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Versions of chaosqs, Hypothesis and Python that found it."""
    explanation: Explanation = Explanation()
