/*
 * traverse: functions in assembly, as compilers write them, run by traverse_run over an image of this
 * process's own memory, and by the processor. Both must visit the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "runtime/cpython/traverse.h"

#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__

typedef int visit_fn(void *object, void *arg);
typedef int traverse_fn(void *self, visit_fn *visit, void *arg);

struct subject {
	uint64_t a, b;
	uint64_t *item;
	int64_t items;
};

/* clang-format off */
asm(".text\n"
/* if (a) visit(a); if (b) return visit(b); the last call is a jump */
"t_two:\n"
"	endbr64\n"
"	push %rbx\n"
"	mov %rdi, %rbx\n"
"	mov (%rdi), %rdi\n"
"	push %r13\n"
"	mov %rdx, %r13\n"
"	push %r12\n"
"	mov %rsi, %r12\n"
"	test %rdi, %rdi\n"
"	je 1f\n"
"	mov %rdx, %rsi\n"
"	call *%r12\n"
"	test %eax, %eax\n"
"	jne 2f\n"
"1:	mov 8(%rbx), %rdi\n"
"	test %rdi, %rdi\n"
"	je 3f\n"
"	mov %r13, %rsi\n"
"	mov %r12, %rax\n"
"	pop %r12\n"
"	pop %r13\n"
"	pop %rbx\n"
"	jmp *%rax\n"
"3:	xor %eax, %eax\n"
"2:	pop %r12\n"
"	pop %r13\n"
"	pop %rbx\n"
"	ret\n"
/* for (i = 0; i < items; i++) visit(item[i]); then t_two, without optimization */
"t_loop:\n"
"	push %rbp\n"
"	mov %rsp, %rbp\n"
"	sub $0x40, %rsp\n"
"	mov %rdi, -0x28(%rbp)\n"
"	mov %rsi, -0x30(%rbp)\n"
"	mov %rdx, -0x38(%rbp)\n"
"	mov %fs:0x28, %rax\n"
"	mov %rax, -0x18(%rbp)\n"
"	movl $0, -4(%rbp)\n"
"	jmp 2f\n"
"1:	mov -4(%rbp), %eax\n"
"	cltq\n"
"	lea 0(,%rax,8), %rdx\n"
"	mov -0x28(%rbp), %rax\n"
"	mov 0x10(%rax), %rax\n"
"	add %rdx, %rax\n"
"	mov (%rax), %rax\n"
"	mov -0x38(%rbp), %rsi\n"
"	mov %rax, %rdi\n"
"	mov -0x30(%rbp), %rdx\n"
"	call *%rdx\n"
"	addl $1, -4(%rbp)\n"
"2:	mov -0x28(%rbp), %rcx\n"
"	movslq -4(%rbp), %rax\n"
"	cmp 0x18(%rcx), %rax\n"
"	jl 1b\n"
"	mov -0x28(%rbp), %rdi\n"
"	mov -0x30(%rbp), %rsi\n"
"	mov -0x38(%rbp), %rdx\n"
"	call t_two\n"
"	mov -0x18(%rbp), %rdx\n"
"	sub %fs:0x28, %rdx\n"
"	jne 3f\n"
"	leave\n"
"	ret\n"
"3:	ud2\n"
/* Says what became of a and b, and which conditions held, by visiting it. */
".macro tell\n"
"	seto %cl\n"
"	setb %dl\n"
"	sets %r8b\n"
"	sete %r9b\n"
"	setle %r10b\n"
"	seta %r11b\n"
"	mov %r14, %rdi\n"
"	movzbl %cl, %ecx\n"
"	lea (%rcx,%rcx,2), %rcx\n"
"	movzbl %dl, %edx\n"
"	lea (%rcx,%rdx,8), %rcx\n"
"	movzbl %r8b, %edx\n"
"	shl $5, %edx\n"
"	or %rdx, %rcx\n"
"	movzbl %r9b, %edx\n"
"	shl $6, %rdx\n"
"	add %rdx, %rcx\n"
"	movsbl %r10b, %edx\n"
"	shl $7, %edx\n"
"	xor %rdx, %rcx\n"
"	movzbl %r11b, %edx\n"
"	imul $256, %rdx, %rdx\n"
"	add %rdx, %rcx\n"
"	add %rcx, %rdi\n"
"	mov %r12, %rsi\n"
"	call *%rbx\n"
".endm\n"
".macro both op, a, b\n"
"	mov (%rbp), %r14\n"
"	mov 8(%rbp), %rcx\n"
"	cmp %rcx, %r14\n"
"	\\op \\b, \\a\n"
"	tell\n"
".endm\n"
"t_flags:\n"
"	push %rbp\n"
"	push %rbx\n"
"	push %r12\n"
"	push %r14\n"
"	push %r15\n"
"	mov %rdi, %rbp\n"
"	mov %rsi, %rbx\n"
"	mov %rdx, %r12\n"
"	both add, %r14, %rcx\n"
"	both sub, %r14, %rcx\n"
"	both cmp, %r14, %rcx\n"
"	both and, %r14, %rcx\n"
"	both xor, %r14, %rcx\n"
"	both test, %r14, %rcx\n"
"	both addl, %r14d, %ecx\n"
"	both subl, %r14d, %ecx\n"
"	both cmpl, %r14d, %ecx\n"
"	both addb, %r14b, %cl\n"
"	both subb, %r14b, %cl\n"
"	both addl, %r14d, $0x12345678\n"
"	both subq, %r14, $-7\n"
"	both cmpq, %r14, 8(%rbp)\n"
"	both cmovl, %r14, %rcx\n"
"	both movzbl, %r14d, %cl\n"
"	both movswl, %r14d, 8(%rbp)\n"
"	mov (%rbp), %r14\n"
"	imul 8(%rbp), %r14\n"
"	seto %cl\n"
"	movzbl %cl, %ecx\n"
"	add %rcx, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	imul $-77, %r14d, %r14d\n"
"	setb %cl\n"
"	movzbl %cl, %ecx\n"
"	add %rcx, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	mov 8(%rbp), %rcx\n"
"	cmp %rcx, %r14\n"
"	adc %rcx, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	mov 8(%rbp), %rcx\n"
"	cmp %rcx, %r14\n"
"	sbb %rcx, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	neg %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	not %r14d\n"
"	inc %r14\n"
"	dec %r14d\n"
"	test %r14, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	sar $3, %r14\n"
"	test %r14, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	mov 8(%rbp), %rcx\n"
"	shr %cl, %r14d\n"
"	test %r14, %r14\n"
"	tell\n"
"	mov (%rbp), %r14\n"
"	bt $17, %r14d\n"
"	setb %cl\n"
"	movzbl %cl, %r14d\n"
"	test %r14, %r14\n"
"	tell\n"
"	mov (%rbp), %rax\n"
"	mov %ah, %al\n"
"	mov %rax, %r14\n"
"	test $0x40, %al\n"
"	tell\n"
"	xor %eax, %eax\n"
"	pop %r15\n"
"	pop %r14\n"
"	pop %r12\n"
"	pop %rbx\n"
"	pop %rbp\n"
"	ret\n"
"t_endless:	jmp t_endless\n"
"t_stores:	movq $0, (%rdi)\n"
"	xor %eax, %eax\n"
"	ret\n"
"t_odd:	cvtsi2sd %rdi, %xmm0\n"
"	xor %eax, %eax\n"
"	ret\n"
"t_says_one:	mov $1, %eax\n"
"	ret\n"
"t_none:	xor %eax, %eax\n"
"	ret\n"
"t_far:	mov $0x10, %eax\n"
"	jmp *%rax\n"
"t_end:\n");
/* clang-format on */

int t_two(void *self, visit_fn *visit, void *arg), t_loop(void *self, visit_fn *visit, void *arg);
int t_flags(void *self, visit_fn *visit, void *arg), t_none(void *self, visit_fn *visit, void *arg);
extern const uint8_t t_endless[], t_stores[], t_odd[], t_says_one[], t_far[], t_end[];

struct seen {
	uint64_t at[64];
	unsigned n;
};

static int note(void *object, void *arg)
{
	struct seen *s = arg;
	assert_true(s->n < 64);
	s->at[s->n++] = (uint64_t)(uintptr_t)object;
	return 0;
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void add(struct image *img, const void *data, uint64_t size)
{
	const struct image_segment seg = {
		.start = address(data), .end = address(data) + size, .perms = PERM_R};
	const struct image_span span = {
		.start = address(data), .end = address(data) + size, .data = data};
	assert_null(image_add_segment(img, &seg));
	assert_null(image_add_span(img, &span));
}

static uint64_t random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	uint64_t v = *seed >> 33 | *seed << 31;
	/* Small ones and those at the edges matter more than others. */
	return v & 1 ? v >> (v >> 1 & 63) : v & 2 ? ~(v >> (v >> 2 & 63)) : v;
}

enum { MOST = 24 };

struct fixture {
	struct damage_log damage;
	struct log log;
	struct image *img;
	struct subject subject;
	uint64_t items[MOST];
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){0};
	log_init(&f->log, LOG_ERROR);
	assert_null(image_create(&f->damage, &f->log, &f->img));
	f->img->machine = MACHINE_X86_64;
	f->img->word_size = 8;
	const uint8_t *code = (const uint8_t *)(uintptr_t)t_two;
	add(f->img, code, (uint64_t)(t_end - code));
	add(f->img, &f->subject, sizeof(f->subject));
	add(f->img, f->items, sizeof(f->items));
	assert_null(image_seal(f->img));
}

static void end(struct fixture *f)
{
	image_destroy(f->img);
	damage_deinit(&f->damage);
}

static void compare(struct fixture *f, traverse_fn *fn)
{
	static struct traverse t;
	struct seen seen = {.n = 0};
	assert_int_equal(fn(&f->subject, note, &seen), 0);
	assert_true(traverse_run(f->img, address((const void *)(uintptr_t)fn), address(&f->subject),
				 &t));
	assert_int_equal(t.n, seen.n);
	for (unsigned i = 0; i < seen.n; i++)
		if (t.visit[i] != seen.at[i])
			fail_msg("visit %u of %u: %llx, not %llx", i, seen.n,
				 (unsigned long long)t.visit[i], (unsigned long long)seen.at[i]);
}

static void test_same(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint64_t seed = 1;
	f.subject.item = f.items;
	for (int round = 0; round < 3000; round++) {
		f.subject.a = round % 5 ? random_next(&seed) : 0;
		f.subject.b = round % 7 ? random_next(&seed) : round % 2 ? f.subject.a : 0;
		f.subject.items = round % (MOST + 1);
		for (unsigned i = 0; i < MOST; i++)
			f.items[i] = random_next(&seed);
		compare(&f, t_two);
		compare(&f, t_loop);
		compare(&f, t_flags);
		compare(&f, t_none);
	}
	end(&f);
}

/* What cannot be followed to its end says nothing. */
static void test_not_known(void **state)
{
	(void)state;
	static struct traverse t;
	struct fixture f;
	begin(&f);
	const void *const code[] = {t_endless, t_stores, t_odd, t_says_one, t_far};
	for (unsigned i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		assert_false(traverse_run(f.img, address(code[i]), address(&f.subject), &t));
	assert_false(traverse_run(f.img, 0, address(&f.subject), &t));
	assert_false(traverse_run(f.img, address((const void *)(uintptr_t)t_two), 16, &t));
	f.subject.items = TRAVERSE_VISITS; /* behind what is there */
	f.subject.item = f.items;
	assert_false(traverse_run(f.img, address((const void *)(uintptr_t)t_loop),
				  address(&f.subject), &t));
	f.img->machine = MACHINE_AARCH64;
	assert_false(traverse_run(f.img, address((const void *)(uintptr_t)t_none),
				  address(&f.subject), &t));
	end(&f);
}

/* Any bytes at all come to an end, and nothing of ours is written. */
static void test_noise(void **state)
{
	(void)state;
	static struct traverse t;
	static uint8_t noise[4096];
	struct fixture f = {.damage = {0}};
	uint64_t seed = 7;
	log_init(&f.log, LOG_ERROR);
	for (int round = 0; round < 200; round++) {
		for (unsigned i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)(random_next(&seed) >> 5);
		assert_null(image_create(&f.damage, &f.log, &f.img));
		f.img->machine = MACHINE_X86_64;
		f.img->word_size = 8;
		add(f.img, noise, sizeof(noise));
		assert_null(image_seal(f.img));
		for (unsigned i = 0; i < 200; i++)
			traverse_run(f.img, address(noise) + 20 * i, address(noise) + 8 * i, &t);
		image_destroy(f.img);
	}
	damage_deinit(&f.damage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_not_known),
		cmocka_unit_test(test_noise),
	};
	return cmocka_run_group_tests_name("traverse", tests, NULL, NULL);
}

#else

int main(void)
{
	return 0; /* the functions are of another machine */
}

#endif
