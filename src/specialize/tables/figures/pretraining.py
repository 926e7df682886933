"""Losses of pretraining by epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from specialize.experiment import Experiment
from specialize.files import read_json
from specialize.tables.figures.style import by_epoch, panels_of, save_figure


def draw_pretraining(experiment: Experiment, run: Path) -> Figure:
    """The losses of each model by epoch, languages below one another."""
    models = experiment.adaptations
    languages = list(dict.fromkeys(language for language, _ in models))
    names = list(dict.fromkeys(name for _, name in models))
    figure, panels = panels_of(len(languages), len(names))
    for row, language in enumerate(languages):
        for column, name in enumerate(names):
            axes = panels[row, column]
            if (language, name) not in models:
                axes.set_axis_off()
                continue
            history = read_json(run / experiment.encoder_folder(language, name) / "history.json")
            _draw_losses(axes, history)
            failed = "" if history["converged"] else ", did not converge"
            axes.set_title(f"{experiment.languages[language].name}: {name}{failed}", fontsize=9)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, title="Losses of different vocabularies do not compare; epoch 0: before training",
        loc="outside upper center", ncols=3, frameon=False,
    )  # fmt: skip
    return figure


def draw_losses(history: dict[str, Any], folder: Path) -> None:
    """Draw one model's losses by epoch, as loss.png."""
    figure, panels = panels_of(1, 1)
    _draw_losses(panels[0, 0], history)
    panels[0, 0].legend(frameon=False)
    save_figure(figure, folder, "loss", ("png",))


def _draw_losses(axes: Axes, history: dict[str, Any]) -> None:
    epochs = history["epochs"]
    trained = [record for record in epochs if "training_loss" in record]
    chosen = [record for record in epochs if record["epoch"] == history["best_epoch"]]
    axes.plot(*by_epoch(trained, "training_loss"), "--", color="0.5", label="training")
    axes.plot(*by_epoch(epochs, "validation_loss"), "o-", color="black", markersize=3, label="validation")
    axes.plot(
        *by_epoch(chosen, "validation_loss"), "o", color="black", markerfacecolor="none", markersize=9, label="chosen"
    )
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Masked loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")
