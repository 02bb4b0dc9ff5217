"""A setting reads what it has written, and writes what AWS would accept."""

import attrs
import pytest

from chaosqs.explain.settings import DesignSetting, design_settings
from chaosqs.model.design import Design, Queue, Redrive
from tests.search.designs import ROOMY, over_polling

FILTERED = attrs.evolve(
    ROOMY,
    mappings=(attrs.evolve(ROOMY.mappings[0], filters=('{"body": {"kind": ["order"]}}', '{"body": {"a": [1]}}')),),
)
PROVISIONED = attrs.evolve(ROOMY, mappings=(attrs.evolve(ROOMY.mappings[0], provisioned_pollers=(5, 20)),))
ENDLESS = Design([Queue("orders"), Queue("orders-dlq")], ROOMY.functions, ROOMY.mappings)
DESIGNS = (ROOMY, over_polling(), over_polling(maximum_concurrency=2), FILTERED, PROVISIONED, ENDLESS)


def setting_of(design: Design, path: str) -> DesignSetting:
    """Return the setting at a path of a design."""
    return next(setting for setting in design_settings(design, design.mappings[0]) if setting.path == path)


@pytest.mark.parametrize("design", DESIGNS)
def test_every_setting_reads_what_it_has_written(design: Design) -> None:
    """A setting turned to a value that AWS accepts stands at that value, and nothing else has changed."""
    for setting in design_settings(design, design.mappings[0]):
        assert setting.write(design, setting.read(design)) == design
        for value in setting.candidates:
            try:
                turned = setting.write(design, value)
            except ValueError:
                continue
            assert setting.read(turned) == value
            if setting.name not in {"filters", "provisioned_pollers"}:
                assert setting.write(turned, setting.read(design)) == design


def test_each_field_has_one_setting() -> None:
    """Two settings of one name, as the retention of two queues, are told apart by their path."""
    for design in DESIGNS:
        paths = [setting.path for setting in design_settings(design, design.mappings[0])]
        assert len(paths) == len(set(paths))


def test_a_dead_letter_queue_has_a_retention_of_its_own() -> None:
    """It is turned without touching the queue that is polled."""
    turned = setting_of(ROOMY, "queues[1].retention_period").write(ROOMY, 86_400)
    assert [queue.retention_period for queue in turned.queues] == [345_600, 86_400]


def test_a_redrive_policy_can_be_tried_where_there_is_none() -> None:
    """It leads to a new queue, with a name that is free, that keeps messages for as long as SQS can."""
    turned = setting_of(ENDLESS, "queues[0].redrive").write(ENDLESS, 5)
    assert turned.queue("orders").redrive == Redrive("orders-dlq2", 5)
    assert turned.queue("orders-dlq2").retention_period == 1_209_600


def test_a_new_dead_letter_queue_is_of_the_same_type() -> None:
    """A FIFO queue needs one whose name says so (DLQ-12)."""
    mapping = attrs.evolve(ROOMY.mappings[0], queue="orders.fifo")
    design = Design([Queue("orders.fifo")], ROOMY.functions, [mapping])
    turned = setting_of(design, "queues[0].redrive").write(design, 3)
    assert turned.queue("orders.fifo").redrive == Redrive("orders-dlq.fifo", 3)


def test_pollers_keep_their_minimum_where_the_maximum_allows_it() -> None:
    """Both ends are one setting: the maximum is turned, and the minimum never lies above it (EC-6)."""
    setting = setting_of(PROVISIONED, "mappings[0].provisioned_pollers")
    assert setting.write(PROVISIONED, 50).mappings[0].provisioned_pollers == (5, 50)
    assert setting.write(PROVISIONED, 3).mappings[0].provisioned_pollers == (3, 3)
    assert setting.write(PROVISIONED, None).mappings[0].provisioned_pollers is None


def test_filters_can_be_taken_away() -> None:
    """Their number is turned: none at all lets every message through (FL-2)."""
    assert setting_of(FILTERED, "mappings[0].filters").write(FILTERED, 0).mappings[0].filters == ()
