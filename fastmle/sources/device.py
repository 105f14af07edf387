"""Arrays that lie on a GPU, seen by `__cuda_array_interface__` or DLPack: read where they are, copied only when asked."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import array_names
from fastmle.sources.base import Array, Batch, guarded, output_dtype, rows_text
from fastmle.sources.dlpack import interface_of_dlpack


def simulated() -> bool:
    """Whether Numba runs device code on the host, to test it."""
    from numba import config

    return bool(vars(config)["ENABLE_CUDASIM"])


def device_interface(data: Any) -> Mapping[str, Any]:
    """The `__cuda_array_interface__` of data on a GPU, made of DLPack where there is none."""
    found = getattr(data, "__cuda_array_interface__", None)
    return interface_of_dlpack(data) if found is None else found


class DeviceArray:
    """A one-dimensional strided view of memory on a GPU: what the frames need of an array."""

    ndim = 1

    def __init__(self, address: int, size: int, stride: int, dtype: np.dtype[Any], owner: Any) -> None:
        self.address, self.size, self.stride, self.dtype = address, size, stride, dtype
        self.shape, self.itemsize, self.nbytes = (size,), dtype.itemsize, size * dtype.itemsize
        self._owner = owner  # kept alive

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape, "typestr": self.dtype.str, "data": (self.address, False), "strides": (self.stride,),
            "version": 3,
        }  # fmt: skip

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, rows: slice) -> DeviceArray:
        start, stop, step = rows.indices(self.size)
        size = len(range(start, stop, step))
        return DeviceArray(self.address + start * self.stride, size, self.stride * step, self.dtype, self._owner)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """A copy in the host's memory."""
        if simulated():  # the device is the host
            size = (self.size - 1) * self.stride + self.itemsize if self.size else 0
            memory = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self.address))
            host = np.ndarray(self.shape, self.dtype, memory, strides=(self.stride,)).copy()
        else:
            from numba import cuda

            host = np.ascontiguousarray(cuda.as_cuda_array(self).copy_to_host())
        return host if dtype is None else host.astype(dtype)

    def astype(self, dtype: Any) -> Array:
        return self.__array__(dtype)

    def copy(self) -> Array:
        return self.__array__()


class DeviceColumn:
    """A column on a GPU; its pieces are views."""

    direct = True
    breaks: Sequence[int] = ()

    def __init__(self, array: DeviceArray) -> None:
        self._array = array
        self.length = array.size

    def piece(self, start: int, stop: int) -> Any:
        return self._array[start:stop]


class DeviceReader:
    """A 1-D array on a GPU is the column "x"; an (n, k) array x0 .. x{k-1}."""

    reopenable = True
    in_memory = True
    on_device = True
    waits = False

    def __init__(self, data: Any) -> None:
        interface = guarded(type(data).__name__, lambda: device_interface(data))
        if interface.get("mask") is not None:
            raise DataError("arrays on a GPU with a null mask cannot be read: fill the nulls with NaN first")
        self._data, self._interface = data, interface
        self._dtype = np.dtype(interface["typestr"])
        self._shape = tuple(interface["shape"])
        self.names = array_names(self._shape, self._dtype)
        self.rows = int(self._shape[0])
        self.description = f"array of {rows_text(self.rows)} on a GPU"
        wait_for(interface.get("stream"))

    def unsuitable(self, name: str) -> str | None:
        seen = np.dtype(np.uint8) if self._dtype == np.bool_ else self._dtype
        return None if seen == output_dtype(seen) else f"{self._dtype} (on a GPU: float64, float32, int64, int32, uint8, bool)"

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        dtype = np.dtype(np.uint8) if self._dtype == np.bool_ else self._dtype
        strides = self._interface.get("strides") or tuple(
            dtype.itemsize * int(np.prod(self._shape[i + 1 :], dtype=np.int64)) for i in range(len(self._shape))
        )
        address = int(self._interface["data"][0])
        columns = []
        for name in names:
            start = address + (self.names.index(name) * strides[1] if len(self._shape) == 2 else 0)
            if strides[0] < 0 or strides[0] % dtype.itemsize or start % dtype.itemsize:
                raise DataError("an array on a GPU must be aligned and not reversed: copy it first", column=name)
            columns.append(DeviceColumn(DeviceArray(start, self.rows, strides[0], dtype, (self._data, self._interface))))
        yield Batch(self.rows, columns)


def wait_for(stream: Any) -> None:
    """Wait for the stream on which the giver may still be writing."""
    if stream is None:
        return
    if not simulated():
        from numba import cuda

        fixed = {1: cuda.legacy_default_stream, 2: cuda.per_thread_default_stream}
        (fixed[stream]() if stream in fixed else cuda.external_stream(stream)).synchronize()
