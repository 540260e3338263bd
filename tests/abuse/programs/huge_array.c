/* Four gigabytes of initialised data. */
static char data[4L << 30] = {1};
int main(void) { return data[1L << 31]; }
