r"""Step sizes that descent with momentum stays at near a minimum: the exact mean-square threshold of SGD (B11), and others.

Near an interpolating minimum with per-sample Hessians H_i, mean H, SGD with momentum b is x' = (1 + b - eta H_B) x - b x_-,
x_- the weights a step before, H_B the mean over a batch of B of n drawn anew. Its second moments obey the positive map

    T(S) = E[A S A^T],   A = [[(1 + b) I - eta H_B, -b I], [I, 0]],   S = E (x, x_-)(x, x_-)^T.

E|x|^2 goes to 0 from everywhere iff rho(T) < 1. With Cov(X) = mean H_i X H_i - H X H, p = (n - B)/(B (n - 1)), C(X) =
(H X + X H)/2 and [H, X] = H X - X H, this is so iff, as a quadratic form on symmetric X,

    eta D_b < 2 C,   D_b(X) = H X H/(1 + b) + p Cov(X)/(1 - b) - b [H, [H, X]]/((1 - b)^2 (1 + b)).

Proof. (1) If T(S) = S, S = [[X, Y], [Y^T, X]], then Y = (1 + b - eta H) X - b Y^T, and in an eigenbasis of H, a_i =
1 + b - eta l_i, (1 - b^2) y_ij = (a_i - b a_j) x_ij. Put into X = .. of T(S) = S this is eta D_b(X) = 2 C(X), entry by entry.
(2) Suppose the form is definite at eta. Then H is (at X = v v^T, H v = l v), and it is definite at all smaller step sizes.
At small ones rho(T) < 1: T is near a map whose only eigenvalue of modulus 1 is 1, with X free, and the derivative of
these is -2 C/(1 - b) < 0. If rho(T) reached 1 on the way to eta, then, T being positive, it would be an eigenvalue there with
an eigenvector S >= 0 (Krein and Rutman), X would not be 0 for S >= 0 is not, and (1) would contradict definiteness.
(3) Suppose rho(T) < 1. Then the noiseless map's is no larger, and g_ij = sum_t u_t(l_i) u_t(l_j), u the response to a unit
impulse, is finite. 1/g_ij = ((1 - b^2)^2 - (1 + b^2) a_i a_j + b (a_i^2 + a_j^2))/(1 - b^2) is the factor of x_ij in (1)
without Cov, and above 0, as |a| < 1 + b and the last two terms are at least -(1 - b)^2 (a_i^2 + a_j^2)/2. rho(T) < 1 iff the
positive map X -> eta^2 p g o Cov(X) has spectral radius below 1 (o entry by entry); it is similar to the self-adjoint
sqrt(g) o eta^2 p Cov(sqrt(g) o X), so 1 - that is definite, and with it the form.

The quadratic form lies below that of H X H/(1 + b) + p Cov/(1 - b) by b tr([H, X]^T [H, X])/((1 - b)^2 (1 + b)) (B11.b).
"""

from __future__ import annotations

from fractions import Fraction

from theory.beyond.mean_square_bounds import largest_step, mean_of, moment_forms, semidefinite
from theory.checks import Array, nonnegative, positive
from theory.enclosure import Enclosure
from theory.linear_stability import noise_share


def momentum(name: str, value: object) -> Fraction:
    """Return the factor of the velocity.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is below 0, or not below 1.
    """
    number = Fraction(nonnegative(name, value))
    if number >= 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}")
    return number


def momentum_forms(hessians: Array, share: Fraction, b: Fraction) -> tuple[Array, Array, Array]:
    """Return the forms of C, D_b, and D_b without its double commutator, in the basis `symmetric_units`.

    Args:
        hessians: H_i, symmetric, rationals [n, d, d].
        share: p.
        b: the momentum.
    """
    mean = mean_of(hessians)
    c, whole = moment_forms(hessians, Fraction(0))
    parts = moment_forms(hessians, Fraction(1))[1]
    squared = moment_forms((mean @ mean)[None], Fraction(0))[0]
    plain = whole / (1 + b) + share / (1 - b) * (parts - whole)
    return c, plain - 2 * b / ((1 - b) ** 2 * (1 + b)) * (squared - whole), plain


def momentum_threshold(hessians: object, batch: int, momentum_factor: float | Fraction) -> Enclosure:
    """Return a rational interval around the step size below which E|x|^2 goes to 0 under SGD with momentum, and not beyond.

    eta* = 2/lambda_max(C^+ D_b), for H_i >= 0 (B11; the head of this module). The cost grows as d^6, so d is small:
    `numerics.stability.mean_square_threshold` goes further in floats.

    Args:
        hessians: H_i, positive semidefinite, [n, d, d].
        batch: B from 1 to n, drawn without replacement.
        momentum_factor: b, from 0 to below 1, of v' = b v + g, w' = w - eta v' (`torch.optim.SGD`).

    Raises:
        TypeError: if an entry or b is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed or one is not positive semidefinite, b is out of range, or B is not between 1
            and n.

    Example:
        >>> from theory.beyond import momentum_threshold
        >>> round(float(momentum_threshold([[[1]], [[3]]], 1, 0.5).lower), 4)  # 2 * 2 / (4 / 1.5 + 1 / 0.5)
        0.8571
    """
    exact = semidefinite("hessians", hessians)
    b = momentum("momentum_factor", momentum_factor)
    c, d, _ = momentum_forms(exact, noise_share(len(exact), batch), b)
    return largest_step(c, d)


def heavy_ball_threshold(curvature: float | Fraction, b: float | Fraction, decay: float | Fraction = 1) -> Fraction:
    """Return the step size below which v' = b v + h w, w' = a w - eta v' goes to 0: (1 + a)(1 + b)/h (B11.c).

    Args:
        curvature: h, above 0.
        b: the momentum, from 0 to below 1.
        decay: a, what decoupled weight decay leaves of the weights each step, from 0 to 1.

    Raises:
        TypeError: if one is no real number.
        ValueError: if one is out of range.

    Example:
        >>> from theory.beyond import heavy_ball_threshold
        >>> float(heavy_ball_threshold(4, 0.5))
        0.75
    """
    h, left = Fraction(positive("curvature", curvature)), Fraction(nonnegative("decay", decay))
    if left > 1:
        raise ValueError(f"decay must be at least 0 and at most 1, got {decay!r}")
    return (1 + left) * (1 + momentum("b", b)) / h


def nesterov_threshold(curvature: float | Fraction, b: float | Fraction) -> Fraction:
    """Return the step size below which Nesterov's momentum as PyTorch has it goes to 0: 2 (1 + b)/((1 + 2 b) h) (B11.d).

    Args:
        curvature: h, above 0.
        b: the momentum, from 0 to below 1.

    Raises:
        TypeError: if one is no real number.
        ValueError: if one is out of range.

    Example:
        >>> from theory.beyond import nesterov_threshold
        >>> float(nesterov_threshold(3, 0.5))
        0.5
    """
    h, factor = Fraction(positive("curvature", curvature)), momentum("b", b)
    return 2 * (1 + factor) / ((1 + 2 * factor) * h)
