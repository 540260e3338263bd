# Never reads the ten megabytes it is sent.
print("never read")
