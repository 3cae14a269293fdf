"""What a type checker must find of the public functions: NumPy gives NumPy, torch gives torch."""

from typing import assert_type

import numpy as np
import torch

import pkpo

assert_type(pkpo.transform([0.0, 1.0], 1), np.ndarray)
assert_type(pkpo.transform(np.ones(2), 1, "s"), np.ndarray)
assert_type(pkpo.transform(torch.ones(2), 1), torch.Tensor)
assert_type(pkpo.s(torch.ones(2), 1), torch.Tensor)
assert_type(pkpo.sloo([0.0, 1.0], 1), np.ndarray)
assert_type(pkpo.sloo_minus_one(torch.ones(2), 1), torch.Tensor)
assert_type(pkpo.canonical(torch.ones(2), 1), torch.Tensor)
assert_type(pkpo.rho(torch.ones(2), 1), torch.Tensor)
assert_type(pkpo.rho([0.0, 1.0], 1), np.ndarray)
