/* A few lines that expand to hundreds of thousands of warnings. */
#define W (void)(int *)1L + "" == 0;
#define A W W W W W W W W W W
#define B A A A A A A A A A A
#define C B B B B B B B B B B
#define D C C C C C C C C C C
#pragma GCC diagnostic warning "-Wunused-value"
#pragma GCC diagnostic warning "-Waddress"
int main(void) { D D D D D D D D D D return 0; }
