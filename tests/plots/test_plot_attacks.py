"""What the figure and the table of a comparison of attacks say, on rows written by hand."""

import pandas as pd

from zol2l.plots.attacks import attack_curves, success_distribution
from zol2l.reporting.tables import attacks_table, summary_table

ROWS = pd.DataFrame(
    {
        "method": ["pgd"] * 4 + ["square"] * 4,
        "queries": [10, 30, 50, 50, 20, 20, 80, 100],
        "success": [True, True, False, False, True, True, True, True],
    }
)


def test_failures_stay_in_the_hundred_percent():
    curves = attack_curves(ROWS)
    queries, fraction = curves["pgd"]
    assert queries.tolist() == [0, 10, 30, 100]
    assert fraction.tolist() == [0, 0.25, 0.5, 0.5]
    assert curves["square"][1][-1] == 1


def test_a_dot_marks_where_an_attack_stopped(drawn, tmp_path):
    success_distribution(ROWS, tmp_path / "success.png")
    (axes,) = drawn[0].axes
    dots = [
        tuple(map(float, line.get_xydata()[0])) for line in axes.lines if len(line.get_xdata()) == 1
    ]
    assert dots == [(50, 0.5)]


def bold(table, row: int) -> list[str]:
    cells = [list(column.cells)[row] for column in table.columns]
    return [cell for cell in cells if cell.startswith("[bold")]


def test_fewest_queries_are_bold_among_the_most_reliable_attacks():
    common = {"images": 4, "failures": 0, "queries_of_failures": 0, "l2_mean": 1, "linf_mean": 1}
    rows = [
        {"method": "lucky", "success_rate": 0.25, "queries_mean": 5.0, "queries_median": 5},
        {"method": "slow", "success_rate": 1.0, "queries_mean": 90.0, "queries_median": 90},
        {"method": "sure", "success_rate": 1.0, "queries_mean": 60.0, "queries_median": 60},
    ]
    table = attacks_table(pd.DataFrame([{**row, **common} for row in rows]))
    assert [bold(table, row) for row in range(3)] == [[], [], ["[bold]60.0[/bold]"]]


def test_the_lowest_loss_is_bold_among_all_methods_the_queries_among_the_reliable():
    common = {"instances": 4, "trials": 1, "final_loss_std": 1.0, "queries_per_step": 21.0}
    columns = ("method", "success_rate", "queries_to_success_mean", "queries_to_success_median",
               "final_loss_mean", "final_distortion_mean")  # fmt: skip
    values = [("lucky", 0.5, 10.0, 10.0, 1.0, 1.0), ("sure", 1.0, 40.0, 30.0, 2.0, 1.0)]
    rows = [{**dict(zip(columns, row, strict=True)), **common} for row in values]
    table = summary_table(pd.DataFrame(rows))
    assert bold(table, 0) == ["[bold]1[/bold]"]
    assert bold(table, 1) == ["[bold]40[/bold]", "[bold]30[/bold]"]
