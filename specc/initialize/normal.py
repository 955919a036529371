"""The normal distribution's quantile and distribution functions, the same to the last bit anywhere.

They use nothing but + - * / and square root, which IEEE 754 defines exactly. numpy's own log and
exp differ in their last bits between processors and versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Algorithm AS 241 (PPND16), M. J. Wichura, "The percentage points of the normal distribution",
# Applied Statistics 37 (1988), 477-484: rational functions, highest power first.
_CENTER_TOP = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_CENTER_BOTTOM = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_TOP = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_BOTTOM = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_FAR_TAIL_TOP = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_FAR_TAIL_BOTTOM = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)

# log(m) = 2s + s · R(s²) with s = (m - 1) / (m + 1): fdlibm's e_log.c (Sun Microsystems, 1993),
# highest power first; its error is below 2**-58.
_LOG = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
    0.0,
)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_FRACTION_BITS = 52
_SQRT_HALF_BITS = np.float64(0.7071067811865476).view(np.int64)


def quantile(p: Array) -> Array:
    """Φ⁻¹(p) for 0 < p < 1, to about 1e-15 relative."""
    q = p - 0.5
    r = q * q
    np.subtract(0.180625, r, out=r)
    # Outside the center these are wrong and replaced, which is quicker than gathering 85 %.
    z = _polynomial(_CENTER_TOP, r)
    z /= _polynomial(_CENTER_BOTTOM, r)
    z *= q
    tail = np.flatnonzero(np.abs(q, out=q) > 0.425)
    z[tail] = _tail_quantile(p[tail])
    return z


def _tail_quantile(p: Array) -> Array:
    r = np.sqrt(-log(np.minimum(p, 1.0 - p)))
    near = r - 1.6
    z = _polynomial(_TAIL_TOP, near)
    z /= _polynomial(_TAIL_BOTTOM, near)
    far = np.flatnonzero(r > 5.0)  # one element in 10**10
    if far.size:
        farther = r[far] - 5.0
        z[far] = _polynomial(_FAR_TAIL_TOP, farther) / _polynomial(_FAR_TAIL_BOTTOM, farther)
    return np.copysign(z, p - 0.5, out=z)


def log(x: Array) -> Array:
    """The natural logarithm of positive normal numbers, within 1 ulp."""
    # x = m * 2**k, with m from the square root of 1/2 on: its bits less those of that root count
    # the powers of 2 above it, and numpy's frexp takes as long as all the rest.
    bits = x.view(np.int64)
    exponent = (bits - _SQRT_HALF_BITS) >> _FRACTION_BITS
    f = (bits - (exponent << _FRACTION_BITS)).view(np.float64)
    f -= 1.0
    k = exponent.astype(np.float64)
    s = f / (2.0 + f)
    half_square = 0.5 * f
    half_square *= f
    tail = _polynomial(_LOG, s * s)
    tail += half_square
    tail *= s
    tail += k * _LN2_LOW
    half_square -= tail
    half_square -= f
    k *= _LN2_HIGH
    k -= half_square
    return k


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Horner's rule in place, highest power first; the multiply and the add round separately."""
    highest, second, *others = coefficients
    total = highest * x
    total += second
    for coefficient in others:
        total *= x
        total += coefficient
    return total


@cache
def cumulative(x: float) -> float:
    """Φ(x), rounded once, also in the far lower tail; 0 and 1 beyond 40.

    The series Φ(x) = 1/2 + φ(x)(x + x³/3 + x⁵/15 + ...), in decimal arithmetic with enough digits
    for its cancellation, since math.erfc is the C library's.
    """
    if abs(x) > 40:
        return 1.0 if x > 0 else 0.0
    with localcontext() as context:
        # Φ falls as exp(-x²/2), so x² / (2 ln 10) digits cancel against the 1/2.
        context.prec = 40 + int(x * x / 4)
        z = Decimal(x)
        square = z * z
        total = term = z
        n = 1
        negligible = Decimal(10) ** -context.prec
        while abs(term) > negligible * abs(total):
            n += 2
            term *= square / n
            total += term
        density = (-square / 2).exp() / (2 * _pi()).sqrt()
        return float(Decimal("0.5") + density * total)


@cache
def _pi() -> Decimal:
    """π to 500 digits, by Machin's formula π = 16 arctan(1/5) - 4 arctan(1/239) in integers."""
    digits = 510
    one = 10**digits

    def arctan_of_inverse(n: int) -> int:
        total, power, k, sign = 0, one // n, 1, 1
        while power:
            total += sign * (power // k)
            power //= n * n
            k += 2
            sign = -sign
        return total

    with localcontext() as context:
        context.prec = digits
        return Decimal(16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)).scaleb(-digits)
