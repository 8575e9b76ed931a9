"""The notebook, run on what `trellis` leaves of the shipped sample."""

import json

import nbclient
import nbformat
import pytest
from conftest import ROOT
from notebook import execute, pictures, printed, read

NOTEBOOK = ROOT / "infra/notebooks/trellis.ipynb"


@pytest.fixture(scope="module")
def executed(archive):
    return execute(read(NOTEBOOK), archive)


@pytest.fixture(scope="module")
def summary(executed):
    return json.loads(printed(executed)[-1])


def test_the_notebook_is_kept_without_outputs():
    cells = [cell for cell in read(NOTEBOOK).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_a_cell_that_fails_is_an_error(tmp_path):
    cells = [nbformat.v4.new_code_cell("1 + 1"), nbformat.v4.new_code_cell("assert 1 == 2, 'one is not two'")]
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="one is not two"):
        execute(nbformat.v4.new_notebook(cells=cells), tmp_path)


def test_its_coefficient_is_within_the_interval_of_trellis(summary):
    assert summary["coefficient_low"] < summary["coefficient"] < summary["coefficient_high"]
    assert summary["coefficient_low"] < summary["coefficient_of_trellis"] < summary["coefficient_high"]


def test_the_talks_row_comes_out_to_every_printed_digit(summary):
    row = {"index": 4, "scale_up_increment": 2, "upper_threshold": 15, "lower_threshold": 10,
           "average_cpu_utilization": 16.876191, "max_cpu_utilization": 39.226077}
    assert summary["talk"] == row


def test_it_chooses_the_settings_that_trellis_recommends(summary, advice):
    options = {option["OptionName"]: option["Value"] for option in advice["recommended"]["options"]}
    assert summary["chosen"]["upper_threshold"] == float(options["UpperThreshold"])
    assert summary["chosen"] == summary["recommended"]
    assert summary["chosen_room"] == pytest.approx(advice["room"], abs=0.02)


def test_its_short_simulator_stays_within_a_half_percent_of_trellis_and_of_the_record(summary):
    assert summary["hours_off_percent"] < 0.5
    assert summary["same_count_share"] > 0.99


def test_it_draws_the_fit_the_response_time_the_simulations_and_the_record(executed):
    assert pictures(executed) == 6
