"""Small models from examples: a choice among candidates, a sign, a probability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from beatgrid.grid import FloatArray
from beatgrid.search.ranker import LinearModel, NeuralModel, compared

# Inverse penalty of the confidence model, on standardised features in units of one track.
CONFIDENCE_C = 0.3
# Features that vary by less are constant: channels that are missing.
MIN_DEVIATION = 1e-9
MAX_ITERATIONS = 300


class Choices:
    """Examples of a choice among candidates, padded to one tensor.

    Args:
        inputs: Inputs of each example's candidates, (candidates, inputs).
        right: Index of each example's right candidate.
        weight: How much each example counts, (examples,).

    Attributes:
        inputs: float64 (examples, most candidates, inputs), 0 where there is no candidate.
        padding: True where there is no candidate, (examples, most candidates).
        right: int64 (examples,).
        weight: float64 (examples,).
    """

    def __init__(
        self, inputs: Sequence[FloatArray], right: Sequence[int], weight: FloatArray
    ) -> None:
        tensors = [torch.as_tensor(x, dtype=torch.float64) for x in inputs]
        self.inputs = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
        counts = torch.tensor([len(x) for x in tensors])
        self.padding = torch.arange(self.inputs.shape[1]) >= counts[:, None]
        self.right = torch.as_tensor(right)
        self.weight = torch.as_tensor(weight, dtype=torch.float64)

    def cost(self, model: torch.nn.Module) -> torch.Tensor:
        """Return the weighted cross-entropy in nats of a model that scores candidates."""
        scores = model(self.inputs)[..., 0].masked_fill(self.padding, -torch.inf)
        return self.weight @ functional.cross_entropy(scores, self.right, reduction="none")


class ScoreNet(torch.nn.Module):
    """Linear scores, with a hidden tanh layer beside; inputs (..., inputs) to (..., 1).

    Args:
        n_inputs: Inputs of a candidate.
        n_units: Hidden units.
        seed: Of the hidden layer's starting weights.
    """

    def __init__(self, n_inputs: int, n_units: int, seed: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(n_inputs, 1, bias=False, dtype=torch.float64)
        self.hidden = torch.nn.Linear(n_inputs, n_units, dtype=torch.float64)
        self.out = torch.nn.Linear(n_units, 1, bias=False, dtype=torch.float64)
        random = torch.Generator().manual_seed(seed)
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.normal_(self.hidden.weight, std=n_inputs**-0.5, generator=random)
        torch.nn.init.zeros_(self.hidden.bias)
        torch.nn.init.normal_(self.out.weight, std=0.1, generator=random)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Score candidates."""
        return self.linear(inputs) + self.out(torch.tanh(self.hidden(inputs)))


def fit_choice(
    features: Sequence[FloatArray],
    right: Sequence[int],
    weight: FloatArray,
    names: Sequence[str],
    penalty: float,
) -> LinearModel:
    """Fit weights that maximise the softmax probability of the right candidate.

    Args:
        features: Candidates of each example, (candidates, features).
        right: The right candidate of each.
        weight: How much each example counts, (examples,).
        names: Of the features.
        penalty: L2 penalty on weights of standardised features, in units of one example.
    """
    scale = _deviation(np.concatenate(features))
    choices = Choices([f / scale for f in features], right, weight)
    model = torch.nn.Linear(len(names), 1, bias=False, dtype=torch.float64)
    torch.nn.init.zeros_(model.weight)
    minimise(lambda: choices.cost(model) + _l2(penalty, model), model)
    return LinearModel(tuple(names), model.weight.detach().numpy()[0] / scale)


def fit_neural_choice(
    features: Sequence[FloatArray],
    right: Sequence[int],
    weight: FloatArray,
    names: Sequence[str],
    penalty: float,
    n_units: int = 16,
    n_nets: int = 3,
) -> NeuralModel:
    """Fit as ``fit_choice`` with a hidden layer: the mean of a few nets from different starts.

    Args:
        features: Candidates of each example, (candidates, features).
        right: The right candidate of each.
        weight: How much each example counts, (examples,).
        names: Of the features.
        penalty: L2 penalty on all weights of standardised inputs, in units of one example;
            biases are free.
        n_units: Hidden units of each net.
        n_nets: How many nets are averaged.
    """
    inputs = [compared(f) for f in features]
    stacked = np.concatenate(inputs)
    mean, scale = stacked.mean(axis=0), _deviation(stacked)
    choices = Choices([(x - mean) / scale for x in inputs], right, weight)
    nets = [ScoreNet(len(mean), n_units, seed) for seed in range(n_nets)]
    for net in nets:
        minimise(lambda net=net: choices.cost(net) + _l2(penalty, net), net)  # type: ignore[misc]

    def stack(parameter: str) -> FloatArray:
        return np.stack([net.get_parameter(parameter).detach().numpy() for net in nets])

    # Averaging scores is one net with the hidden units of all.
    return NeuralModel(
        names=tuple(names),
        mean=mean,
        scale=scale,
        linear=stack("linear.weight").mean(axis=0)[0],
        hidden=stack("hidden.weight").reshape(-1, len(mean)),
        bias=stack("hidden.bias").ravel(),
        out=stack("out.weight").ravel() / n_nets,
    )


def refit_choice(
    start: LinearModel | NeuralModel,
    features: Sequence[FloatArray],
    right: Sequence[int],
    weight: FloatArray,
    pull: float,
) -> LinearModel | NeuralModel:
    """Fit a choice among candidates on from one fitted before, held near to it.

    What few examples say nothing about stays as it was.

    Args:
        start: Fitted to other examples; its kind, features and standardisation stay.
        features: Candidates of each example, (candidates, features), in the order of its names.
        right: The right candidate of each.
        weight: How much each example counts, (examples,).
        pull: L2 penalty on what each weight differs from its start, on standardised features, in
            units of one example.
    """
    if isinstance(start, LinearModel):
        scale = _deviation(np.concatenate(features))
        choices = Choices([f / scale for f in features], right, weight)
        model = torch.nn.Linear(len(scale), 1, bias=False, dtype=torch.float64)
        _assign(model.weight, (start.weights * scale)[np.newaxis])
        _minimise_near(lambda: choices.cost(model), model, pull)
        return LinearModel(start.names, model.weight.detach().numpy()[0] / scale, start.bias)
    inputs = [(compared(f) - start.mean) / start.scale for f in features]
    choices = Choices(inputs, right, weight)
    net = ScoreNet(len(start.mean), len(start.bias), seed=0)
    _assign(net.linear.weight, start.linear[np.newaxis])
    _assign(net.hidden.weight, start.hidden)
    _assign(net.hidden.bias, start.bias)
    _assign(net.out.weight, start.out[np.newaxis])
    _minimise_near(lambda: choices.cost(net), net, pull)
    return replace(
        start,
        linear=net.linear.weight.detach().numpy()[0],
        hidden=net.hidden.weight.detach().numpy(),
        bias=net.hidden.bias.detach().numpy(),
        out=net.out.weight.detach().numpy()[0],
    )


def refit_logistic(
    start: LinearModel,
    features: FloatArray,
    right: NDArray[np.bool_],
    weight: FloatArray,
    pull: float,
    with_bias: bool = True,
) -> LinearModel:
    """Fit a logistic regression on from one fitted before, held near to it.

    Args:
        start: Fitted to other examples.
        features: Of each example, (examples, features), in the order of its names.
        right: The truth, (examples,).
        weight: How much each example counts, (examples,).
        pull: As in ``refit_choice``; of the bias as well.
        with_bias: Fit the bias too.
    """
    scale = _deviation(features)
    x = torch.as_tensor(features / scale, dtype=torch.float64)
    y = torch.as_tensor(right, dtype=torch.float64)[:, None]
    w = torch.as_tensor(weight, dtype=torch.float64)[:, None]
    model = torch.nn.Linear(len(scale), 1, bias=with_bias, dtype=torch.float64)
    _assign(model.weight, (start.weights * scale)[np.newaxis])
    if with_bias:
        _assign(model.bias, np.array([start.bias]))

    def cost() -> torch.Tensor:
        each = functional.binary_cross_entropy_with_logits(model(x), y, reduction="none")
        return (w * each).sum()

    _minimise_near(cost, model, pull)
    bias = float(model.bias.detach()) if with_bias else start.bias
    return LinearModel(start.names, model.weight.detach().numpy()[0] / scale, bias)


def _assign(parameter: torch.Tensor, values: FloatArray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(values))


def _minimise_near(cost: Callable[[], torch.Tensor], model: torch.nn.Module, pull: float) -> None:
    """Minimise a cost with a penalty on how far each parameter goes from where it begins."""
    starts = [parameter.detach().clone() for parameter in model.parameters()]

    def objective() -> torch.Tensor:
        moved = [(p - s).square().sum() for p, s in zip(model.parameters(), starts, strict=True)]
        return cost() + 0.5 * pull * torch.stack(moved).sum()

    minimise(objective, model)


def minimise(objective: Callable[[], torch.Tensor], model: torch.nn.Module) -> None:
    """Move a model's parameters to a minimum of an objective, by L-BFGS over all examples.

    Args:
        objective: Computes the value to minimise from the model's present parameters.
        model: Its parameters are changed in place.
    """
    optimiser = torch.optim.LBFGS(
        model.parameters(),
        max_iter=MAX_ITERATIONS,
        max_eval=4 * MAX_ITERATIONS,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = objective()
        value.backward()
        return value

    optimiser.step(closure)


def fit_sign(
    positive: FloatArray, weight: FloatArray, names: Sequence[str], penalty: float
) -> LinearModel:
    """Fit weights without intercept: ``positive @ weights`` is the log-odds of being right.

    Args:
        positive: Features of each example, with the sign that they have when right,
            (examples, features).
        weight: How much each example counts, (examples,).
        names: Of the features.
        penalty: L2 penalty on weights of standardised features, in units of one example.
    """
    # Each example and its opposite, with half of its weight each: two classes, one loss.
    both = np.concatenate((positive, -positive))
    scale = _deviation(both)
    is_right = np.repeat([True, False], len(positive))
    regression = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-8, max_iter=1000)
    regression.fit(both / scale, is_right, sample_weight=np.tile(weight / 2, 2))
    return LinearModel(tuple(names), regression.coef_[0] / scale)


def fit_probability(
    features: FloatArray, right: NDArray[np.bool_], weight: FloatArray, names: Sequence[str]
) -> LinearModel:
    """Fit a logistic regression; a constant if all examples are right, or all wrong.

    Args:
        features: Of each example, (examples, features).
        right: The truth, (examples,).
        weight: How much each example counts; 0 leaves it out, (examples,).
        names: Of the features.
    """
    used = weight > 0
    if len(np.unique(right[used])) < 2:
        n_right = float(np.sum(right[used]))
        bias = np.log((n_right + 1) / (np.sum(used) - n_right + 1))
        return LinearModel(tuple(names), np.zeros(len(names)), float(bias))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=CONFIDENCE_C))
    model.fit(features[used], right[used], logisticregression__sample_weight=weight[used])
    scaler, regression = model[0], model[1]
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - weights @ scaler.mean_)
    return LinearModel(tuple(names), weights, bias)


def _l2(penalty: float, model: torch.nn.Module) -> torch.Tensor:
    """Return half the penalty times the sum of squared weights; biases are not penalised."""
    weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    return 0.5 * penalty * torch.stack([w.square().sum() for w in weights]).sum()


def _deviation(features: FloatArray) -> FloatArray:
    """Return standard deviations, 1 for features that never differ."""
    deviation = features.std(axis=0)
    return np.where(deviation > MIN_DEVIATION, deviation, 1.0)
