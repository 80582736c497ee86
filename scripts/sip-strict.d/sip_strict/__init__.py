# SPDX-License-Identifier: GPL-2.0-only
"""The parts of sip-strict. Each verb collects plain data, which is then shown as text or JSON."""


class UserError(Exception):
    """Something the user gave, or this machine lacks; one line says what."""
