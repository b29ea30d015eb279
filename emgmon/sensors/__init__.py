"""Sensors in the air: find, connect, keep watch, record; only `ble` knows bleak, only `link` moves states."""
