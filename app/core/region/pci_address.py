"""PCI addresses: parsed, ordered, shown as Linux and as Windows write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from ..errors import CannotFindError

_LINUX: Final = re.compile(
    r"^(?:([0-9a-f]{4,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$", re.IGNORECASE
)
_NUMBERS: Final = re.compile(r"[0-9]+")
_MOST_DIGITS: Final = 5
_LAST_WINDOWS_BUS: Final = 0xFFFF
_LIMITS: Final = (("domain", 0xFFFFFFFF), ("bus", 255), ("device", 31), ("function", 7))


@dataclass(frozen=True, order=True, slots=True)
class PciAddress:
    """Domain (segment), bus, device and function of a PCI device.

    Raises:
        CannotFindError: A number that no PCI address can have.
    """

    domain: int
    bus: int
    device: int
    function: int

    def __post_init__(self) -> None:
        for name, limit in _LIMITS:
            if not 0 <= getattr(self, name) <= limit:
                raise CannotFindError(f"PCI {name} {getattr(self, name)} does not exist.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`0000:08:01.0`, `08:01.0`, `10000:e1:00.0`, or what Windows' device manager shows.

        Raises:
            CannotFindError: The text is not a PCI address.
        """
        match = _LINUX.match(text.strip())
        if match:
            domain, bus, device, function = (int(part or "0", 16) for part in match.groups())
            return cls(domain, bus, device, function)
        if "pci" in text.lower():
            return cls.from_windows_location(text)
        raise CannotFindError(
            f"{text[:80]!r} is no PCI address.",
            "Write 0000:08:01.0 or PCI bus 8, device 1, function 0.",
        )

    @classmethod
    def from_windows(cls, bus: int, device: int, function: int) -> Self:
        """From Windows' numbers, where the buses of further segments count on from 256.

        Raises:
            CannotFindError: Numbers out of range.
        """
        if bus > _LAST_WINDOWS_BUS:
            raise CannotFindError(f"PCI bus {bus} does not exist.")
        return cls(bus >> 8, bus & 0xFF, device, function)

    @classmethod
    def from_windows_location(cls, text: str) -> Self:
        r"""From SPDRP_LOCATION_INFORMATION, in any language: three decimal numbers in order.

        Raw resource references such as "@System32\drivers\pci.sys,#65536;PCI bus %1, device %2,
        function %3;(12,31,0)" carry the numbers in the last parentheses.

        Raises:
            CannotFindError: Not three numbers, or numbers out of range.
        """
        part = text.strip()
        if part.startswith("@") or part.endswith(")"):
            part = part[part.rfind("(") :]
        numbers = _NUMBERS.findall(part)
        if len(numbers) != 3 or any(len(number) > _MOST_DIGITS for number in numbers):
            raise CannotFindError(f"{text[:80]!r} names no bus, device and function.")
        return cls.from_windows(*(int(number) for number in numbers))

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.device:02x}.{self.function}"

    @property
    def windows(self) -> str:
        """As Windows' device manager shows it (which has no domain)."""
        return f"PCI bus {self.bus}, device {self.device}, function {self.function}"
