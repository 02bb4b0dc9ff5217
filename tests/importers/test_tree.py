from __future__ import annotations

from chaosqs.importers.cloudformation.markup import Table, merged, parse


def test_laying_one_table_over_another_follows_sam() -> None:
    """Mappings merge deeply, lists are joined with the general one first, a call or a scalar replaces what is below."""
    general = parse("{a: {x: 1, y: 2}, b: [1], c: {x: 1}, d: 1}", "general.yaml")
    special = parse("{a: {y: 3}, b: [2], c: !Ref C, e: 4}", "special.yaml")
    both = parse("{a: {x: 1, y: 3}, b: [1, 2], c: !Ref C, d: 1, e: 4}", "both.yaml")
    assert isinstance(general, Table)
    assert isinstance(special, Table)
    assert merged(general, special) == both
