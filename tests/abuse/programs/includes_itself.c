/* Includes itself without end. */
#include "main.c"
#include "main.c"
int main(void) { return 0; }
