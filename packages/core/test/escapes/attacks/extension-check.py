# CPython's own switch that lets any extension module into any interpreter, and with it whatever it shares.
def attack(arena):
    import importlib.util

    import _imp

    for way in (
        lambda: _imp._override_multi_interp_extensions_check(-1),
        lambda: importlib.util._incompatible_extension_module_restrictions(disable_check=True).__enter__(),
    ):
        try:
            way()
            return "switched it off"
        except AttributeError as error:
            last = error
    raise last
