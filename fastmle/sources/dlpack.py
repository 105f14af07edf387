"""DLPack: the few fields of its tensors that say where memory on a GPU lies. Source: the DLPack specification, version 1."""

from __future__ import annotations

import ctypes
from typing import Any

from fastmle.errors import DataError

_LETTERS = {0: "i", 1: "u", 2: "f", 6: "b"}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64),
    ]  # fmt: skip


def interface_of_dlpack(data: Any) -> dict[str, Any]:
    """The same as `__cuda_array_interface__`; "capsule" keeps the memory alive. Raises DataError for odd dtypes."""
    capsule = data.__dlpack__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    tensor = _Tensor.from_address(pointer(capsule, b"dltensor"))
    if tensor.code not in _LETTERS or tensor.lanes != 1 or tensor.bits % 8:
        raise DataError(f"DLPack type {tensor.code} of {tensor.bits} bits: a number is wanted")
    shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
    size = tensor.bits // 8
    strides = tuple(tensor.strides[i] * size for i in range(tensor.ndim)) if tensor.strides else None
    return {
        "shape": shape, "typestr": f"{'|' if size == 1 else '<'}{_LETTERS[tensor.code]}{size}", "strides": strides,
        "data": ((tensor.data or 0) + tensor.byte_offset, True), "version": 3, "capsule": capsule,
    }  # fmt: skip
