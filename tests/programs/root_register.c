/*
 * Held by a general register alone, and by a vector register alone, while the kernel kills it.
 * (On aarch64 by two general ones: its cores come from qemu here, which writes no vector
 * registers.)
 */
#include "oracle.h"

static uintptr_t general, vector; /* ^ ORACLE_KEY */

static noinline_ void fill(void)
{
	struct node *x = new_node(), *y = new_node(), *lost = new_node();
	general = (uintptr_t)x ^ ORACLE_KEY;
	vector = (uintptr_t)y ^ ORACLE_KEY;
	oracle_expect(x, 1);
	oracle_root(x, "register");
	oracle_expect(y, 1);
	oracle_root(y, "register");
	oracle_head(lost, 1);
}

static noinline_ void die(long pid)
{
	oracle_scrub();
#if defined(__x86_64__)
	__asm__ volatile("movabs $0xa5a5a5a5a5a5a5a5, %%rax\n"
			 "mov %0, %%r12\n"
			 "xor %%rax, %%r12\n"
			 "movq %%r12, %%xmm7\n"
			 "mov %1, %%r12\n"
			 "xor %%rax, %%r12\n"
			 "mov $62, %%eax\n" /* kill */
			 "mov $6, %%esi\n"
			 "syscall"
			 :
			 : "m"(vector), "m"(general), "D"(pid)
			 : "rax", "rcx", "rsi", "r11", "r12", "xmm7", "memory");
#elif defined(__i386__)
	__asm__ volatile("mov %0, %%edi\n"
			 "xor $0xa5a5a5a5, %%edi\n"
			 "movd %%edi, %%xmm5\n"
			 "mov %1, %%edi\n"
			 "xor $0xa5a5a5a5, %%edi\n"
			 "mov $37, %%eax\n" /* kill */
			 "mov $6, %%ecx\n"
			 "int $0x80"
			 :
			 : "m"(vector), "m"(general), "b"(pid)
			 : "eax", "ecx", "edi", "memory"); /* xmm5: this build knows no SSE */
#elif defined(__aarch64__)
	register long x0 __asm__("x0") = pid;
	__asm__ volatile("ldr x10, %1\n"
			 "ldr x20, %2\n"
			 "ldr x11, =0xa5a5a5a5a5a5a5a5\n"
			 "eor x10, x10, x11\n"
			 "eor x20, x20, x11\n"
			 "mov x21, x10\n"
			 "mov x10, #0\n"
			 "mov x1, #6\n"
			 "mov x8, #129\n" /* kill */
			 "svc 0"
			 : "+r"(x0)
			 : "m"(vector), "m"(general)
			 : "x1", "x8", "x10", "x11", "x20", "x21", "memory");
#endif
	for (;;)
		;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
	oracle_mallinfo();
	die(getpid());
}
