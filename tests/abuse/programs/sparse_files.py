# Makes files that look far larger than they are, for whoever collects them.
import os

for name, size in (("pebibyte", 1 << 50), ("tebibyte", 1 << 40), ("gibibyte", 1 << 30)):
    try:
        os.truncate(os.open(name, os.O_CREAT | os.O_WRONLY), size)
        print(f"{name}: ALLOWED")
    except OSError as error:
        print(f"{name}: refused {error.errno}")
os.truncate(os.open("sparse", os.O_CREAT | os.O_WRONLY), 200 << 20)
for number in range(30):
    with open(f"real{number:02}", "wb") as file:
        file.write(b"r" * (1 << 20))
print("done")
