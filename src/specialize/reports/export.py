"""Adapted models as folders that are ready to be uploaded to the Hugging Face hub."""

from __future__ import annotations

import shutil
from pathlib import Path

from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.experiment.resolved import model_description
from specialize.files import atomic_path, read_json
from specialize.pretraining.model_card import ModelDescription, TaskScore, write_card
from specialize.tables.figures.pretraining import draw_losses
from specialize.tables.scores import NOT_CONVERGED, PRIMARY_METRIC, TASK_TITLES, load_scores, mean_and_deviation
from specialize.vocabularies import check_reload


def export_model(experiment: Experiment, run: Path, language: str, representation: str, folder: Path) -> None:
    """Copy a pretrained model with its tokenizer, and write its card with its test scores and its loss curve.

    Args:
        experiment: the configuration.
        run: the run's folder.
        language, representation: of the model.
        folder: where the export appears.

    Raises:
        SpecializeError: if the model did not converge, or a result is missing.
    """
    model = run / experiment.encoder_folder(language, representation)
    history = read_json(model / "history.json")
    if not history["converged"]:
        raise SpecializeError(f"{model}: did not converge ({history['reason']}), so there is nothing to share")
    cells = [cell for cell in experiment.cells if (cell.language, cell.representation) == (language, representation)]
    scores = load_scores(experiment, run, cells)
    tested = []
    for key in scores.by_seed:
        text = mean_and_deviation(scores, key) if scores.converged(key) else NOT_CONVERGED
        text += f", in {scores.folds(key)} folds" if scores.folds(key) else ""
        _, method, task = key
        title = TASK_TITLES[task].split(" (")[0]
        if not method.single_task:
            title += f", pft-{method.regime}" if method.prefinetuned else f", {method.regime}"
        tested.append(TaskScore(title, PRIMARY_METRIC[task], scores.mean(key), text, scores.seeds(key)))
    with atomic_path(folder) as temporary:
        shutil.copytree(model, temporary)
        check_reload(temporary)
        trained = "epochs" in history
        if trained:
            draw_losses(history, temporary)
        description = ModelDescription(**model_description(experiment, language, representation))
        write_card(temporary, description, tested, curve="loss.png" if trained else "")
