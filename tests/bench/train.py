"""The AC-GAN's step against the classic loop, and where its time goes.

`python tests/bench/train.py`.

Same networks, same real cells, one process. The classic loop sees as many generated cells as real
ones, as it is published; ours sees fewer, which is part of its schedule: both are shown at both
counts. Times are wall and CPU (all threads); on a
machine that does other things the CPU column is the one to compare. Research use only.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.config import TrainingConfig
from model.data.cells import CellSet
from model.data.mixture import Mixture
from model.evaluation.measures import balanced_accuracy
from model.runtime import start_tensorflow
from model.training.study import read

Answers = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.int64]]
Curve = list[tuple[float, float, float]]
"""Wall seconds, CPU seconds, balanced accuracy."""

PUBLISHED = "classic, as many generated as real"
STEP_TARGET = 1.8
ACCURACY_TARGET = 3.0


def main() -> None:
    """Print three tables."""
    given = _arguments()
    config = TrainingConfig(
        simulator=given.cells,
        size=given.size,
        variants=1,
        epochs=1,
        steps=given.steps,
        threads=given.threads,
        unlabelled=0.0,
    )
    mixture = read(config, lambda *_: None)
    start_tensorflow(config.seed, config.threads)
    print(f"{len(mixture.part('train'))} simulated training cells, {config.size}×{config.size},")
    print(f"batches of {config.batch} real and {config.fakes} generated, {config.threads} threads")
    _compare_steps(config, mixture, given.repeats)
    _profile(config, mixture, given.repeats)
    _compare_learning(config, mixture, given.steps)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=480, help="simulated cells")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=12, help="of each timing")
    parser.add_argument("--steps", type=int, default=120, help="of each training")
    return parser.parse_args()


def _compare_steps(config: TrainingConfig, mixture: Mixture, repeats: int) -> None:
    import tensorflow as tf
    from support_classic import Classic
    from support_step import together

    from model.training.acgan import ACGAN
    from model.training.batches import batches

    drawn = batches(config, mixture)
    cells, labels = drawn.batch(0)
    many = config.model_copy(update={"fakes": config.batch})
    loops: dict[str, Callable[[], object]] = {}
    for name, counted in ((PUBLISHED, many), (f"classic, {config.fakes} generated", config)):
        classic = Classic(counted)
        loops[name] = lambda classic=classic: classic.step(cells, labels)
    for name, counted in (
        (f"ours, {config.batch} generated", many),
        (f"ours, {config.fakes} generated", config),
        ("ours, without augmentation", config.model_copy(update={"augment": False})),
    ):
        step = tf.function(ACGAN(counted).train_step)
        loops[name] = lambda step=step: step((cells, labels))
    print(f"\n{'one step':40} {'wall ms':>9} {'CPU ms':>9} {'images/s':>9} {'ratio':>7} {'CPU':>7}")
    first = None
    for name, (wall, cpu) in together(loops, repeats).items():
        first = first or (wall, cpu)
        rate = config.batch / wall * 1000
        ratios = f"{first[0] / wall:7.2f} {first[1] / cpu:7.2f}"
        print(f"{name:40} {wall:9.1f} {cpu:9.1f} {rate:9.0f} {ratios}")
    print(f"(target: {STEP_TARGET} × the real images per second of the classic loop as published)")


def _profile(config: TrainingConfig, mixture: Mixture, repeats: int) -> None:
    import tensorflow as tf
    from support_step import parts, timed

    from model.training.acgan import ACGAN
    from model.training.batches import batches

    model, drawn = ACGAN(config), batches(config, mixture)
    taken = {name: timed(call, repeats)[1] for name, call in parts(model, drawn).items()}
    taken["generator, back"] -= taken["generator, forward"]
    cells, labels = drawn.batch(0)
    step = tf.function(ACGAN(config).train_step)
    whole = timed(lambda: step((cells, labels)), repeats)[1] + taken["drawing the batch"]
    print(f"\n{'part of our step':60} {'CPU ms':>9} {'share':>7}")
    for name, cpu in sorted(taken.items(), key=lambda item: -item[1]):
        print(f"{name:60} {cpu:9.1f} {cpu / whole:7.0%}")
    total = sum(taken.values())
    print(f"{'sum of the parts':60} {total:9.1f} {total / whole:7.0%}")
    print(f"{'whole step and its batch':60} {whole:9.1f} {1:7.0%}")


def _compare_learning(config: TrainingConfig, mixture: Mixture, steps: int) -> None:
    import tensorflow as tf
    from support_classic import Classic

    from model.training.acgan import ACGAN
    from model.training.batches import batches

    drawn, validation = batches(config, mixture), mixture.part("validation")
    classic = Classic(config.model_copy(update={"fakes": config.batch}))
    model = ACGAN(config)
    ours = tf.function(model.train_step)

    def answers(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        said: npt.NDArray[np.int64] = np.asarray(model(cells)["logits"]).argmax(axis=1)
        return said

    def classic_step(step: int) -> None:
        classic.step(*drawn.batch(step))

    first = _curve(classic_step, classic.answers, validation, steps)
    second = _curve(lambda step: ours(drawn.batch(step)), answers, validation, steps)
    wanted = max(accuracy for _, _, accuracy in first)
    print(f"\n{'to the best the classic loop reached':45} {'wall s':>9} {'CPU s':>9}")
    reached = [_reaching(curve, wanted) for curve in (first, second)]
    for name, curve, found in zip(("classic", "ours"), (first, second), reached, strict=True):
        best = max(accuracy for _, _, accuracy in curve)
        said = f"{found[0]:9.1f} {found[1]:9.1f}" if found else f"{'not':>9} {'reached':>9}"
        print(f"{f'{name} (best {best:.3f} in {steps} steps)':45} {said}")
    if reached[0] and reached[1]:
        ratio = [one / other for one, other in zip(*reached, strict=True)]
        print(f"{f'ratio at {wanted:.3f} balanced accuracy':45} {ratio[0]:9.2f} {ratio[1]:9.2f}")
    print(f"(target: {ACCURACY_TARGET} × faster; one seed, {len(validation)} validation cells)")


def _curve(
    step: Callable[[int], object], answers: Answers, validation: CellSet, steps: int
) -> Curve:
    """Accuracy on the validation part every tenth step; the clock runs in training only."""
    pictures = validation.cells[np.arange(len(validation)), 0]
    step(0)  # builds its graphs
    curve: Curve = []
    wall = cpu = 0.0
    for number in range(1, steps):
        began, used = perf_counter(), process_time()
        step(number)
        wall, cpu = wall + perf_counter() - began, cpu + process_time() - used
        if number % 10 == 0:
            said = answers(pictures)
            curve.append((wall, cpu, balanced_accuracy(validation.labels, said)))
    return curve


def _reaching(curve: Curve, wanted: float) -> tuple[float, float] | None:
    for wall, cpu, accuracy in curve:
        if accuracy >= wanted:
            return wall, cpu
    return None


if __name__ == "__main__":
    main()
