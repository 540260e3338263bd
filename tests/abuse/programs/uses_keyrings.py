# Tries to leave a message for the next program in a keyring.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
ADD_KEY, REQUEST_KEY, KEYCTL = 248, 249, 250
for name, arguments in {
    "add_key": (ADD_KEY, b"user", b"note", b"secret", 6, -4),
    "request_key": (REQUEST_KEY, b"user", b"note", 0, -4),
    "keyctl join": (KEYCTL, 1, b"shared"),
    "keyctl get": (KEYCTL, 0, -4, 1),
}.items():
    result = libc.syscall(*arguments)
    print(f"{name}:", "ALLOWED" if result >= 0 else f"refused {ctypes.get_errno()}")
print("done")
