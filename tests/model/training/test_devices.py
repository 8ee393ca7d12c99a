"""Several devices hold the same weights and learn from each other's cells."""

import subprocess
import sys

import pytest

from model.errors import ModelError

# In a process of its own: TensorFlow cannot divide its CPU once it has started.
TWO_DEVICES = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from model.config import TrainingConfig
from model.training import devices
from model.training.acgan import ACGAN
from model.training.fit import dataset

devices.accelerators = lambda: ["CPU:0", "CPU:1"]
config = TrainingConfig(size=28, widths=(8, 8, 8), noise=8, batch=8, fakes=4, epochs=1, steps=2)
with devices.strategy(2).scope():
    model = ACGAN(config)
assert model._replicas == 2
before = [weight.numpy().copy() for weight in model.discriminator.trainable_variables]


class Drawn:
    def batch(self, step):
        draw = np.random.default_rng(step)
        cells = draw.integers(0, 256, (8, 28, 28, 3), np.uint8)
        return cells, draw.integers(0, 3, 8).astype(np.int32)


model.fit(dataset(Drawn(), config), epochs=1, steps_per_epoch=2, verbose=0)
for variable in model.discriminator.trainable_variables + model.averaged.weights:
    first, second = (copy.numpy() for copy in variable.value.values)
    assert np.array_equal(first, second), variable.path
    assert np.isfinite(first).all()
after = model.discriminator.trainable_variables
assert any(not np.array_equal(one, other.numpy()) for one, other in zip(before, after))
assert int(model.critic_optimizer.iterations.numpy()) == 2
print("alike")
"""


def test_two_devices_keep_the_same_weights() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "alike"


def test_more_gpus_than_there_are_is_said_plainly() -> None:
    from model.training.devices import accelerators, strategy

    with pytest.raises(ModelError, match=rf"--gpus 99: TensorFlow sees {len(accelerators())} here"):
        strategy(99)
