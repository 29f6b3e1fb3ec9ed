/* The loops of the measurements, for when Python is too slow to be the instrument, and the
 * comparison of the change scan, and the search.
 *
 * Called through ctypes.CDLL, which releases the GIL. Each function runs one bounded slice on a
 * state struct that kernel.py mirrors field by field (all fields are 8 bytes), so that a loop can
 * go on where the last slice ended. The same loops exist in Python (echo_python.py, ring_python.py,
 * page_scan.py, byte_search.py).
 *
 * The memory may vanish during a loop (a file is cut, a device is unplugged): each entry point
 * runs inside a guard and returns FAULT then; loops in Python run under a shield. A peer may write
 * anything: no word of the lane is used as an address or a length here.
 *
 * Build: scripts/build_kernel.py (cc -O2 -shared -fPIC). No other dependency than the C library.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#ifdef _WIN32
#include <windows.h>
#define EXPORT __declspec(dllexport)
#else
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#define EXPORT __attribute__((visibility("default")))
#endif

#define SCOPE_ABI 5
#ifndef SCOPE_SOURCE
#define SCOPE_SOURCE 0
#endif

enum { AGAIN = 0, DONE = 1, STOPPED = 2, FAULT = 3 };
enum { SPIN = 0, POLL = 1, YIELD = 2 };
/* A slice ends between two round trips, or so long after its time when an answer does not come. */
#define GRACE_NS 50000000

EXPORT int scope_abi(void) { return SCOPE_ABI; }

/* CRC-32 of this file, so that a library that was built from an older one is not used. */
EXPORT uint32_t scope_source(void) { return SCOPE_SOURCE; }

/* --- time and rest ------------------------------------------------------------------------- */

static inline void rest(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

#ifdef _WIN32

static int64_t now_ns(void)
{
    static int64_t frequency;
    LARGE_INTEGER count;
    if (!frequency) {
        LARGE_INTEGER f;
        QueryPerformanceFrequency(&f);
        frequency = f.QuadPart;
    }
    QueryPerformanceCounter(&count);
    return count.QuadPart / frequency * 1000000000LL
         + count.QuadPart % frequency * 1000000000LL / frequency;
}

static void sleep_ns(int64_t ns)
{
    if (ns >= 1000000)
        Sleep((DWORD)(ns / 1000000));
    else
        SwitchToThread();
}

static void yield_core(void) { SwitchToThread(); }

#else

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_ns(int64_t ns)
{
    struct timespec t = {ns / 1000000000LL, ns % 1000000000LL};
    nanosleep(&t, 0);
}

static void yield_core(void) { sched_yield(); }

#endif

EXPORT int64_t scope_now_ns(void) { return now_ns(); }

/* --- the shield: a page that vanishes under a loop in Python is replaced, and a flag set ------ */

static struct shield {
    volatile uintptr_t start, end; /* start == end: it covers nothing */
    int32_t *hit;
    int taken;
} shields[32];

static int put_page(uintptr_t at);

/* Put an empty page of our own in the place of one under a shield. 1: repeat the access. */
static int shielded(uintptr_t at)
{
    for (unsigned i = 0; i < sizeof shields / sizeof *shields; i++) {
        struct shield *s = &shields[i];
        if (at < s->start || at >= s->end || !put_page(at)) continue;
        __atomic_store_n(s->hit, 1, __ATOMIC_RELAXED);
        return 1;
    }
    return 0;
}

static void guard_arm(void);

/* Cover a range until scope_unshield; its number, or -1 when there are too many. */
EXPORT int scope_shield(uintptr_t start, uint64_t length, int32_t *hit)
{
    guard_arm();
    for (unsigned i = 0; i < sizeof shields / sizeof *shields; i++) {
        struct shield *s = &shields[i];
        if (__atomic_exchange_n(&s->taken, 1, __ATOMIC_ACQ_REL)) continue;
        s->hit = hit;
        s->end = start;
        s->start = start;
        __atomic_store_n(&s->end, start + length, __ATOMIC_RELEASE);
        return (int)i;
    }
    return -1;
}

EXPORT void scope_unshield(int number)
{
    struct shield *s = &shields[number];
    __atomic_store_n(&s->end, s->start, __ATOMIC_RELEASE);
    __atomic_store_n(&s->taken, 0, __ATOMIC_RELEASE);
}

/* --- the guard: a fault inside becomes a return value --------------------------------------- */

#ifdef _WIN32

/* Only where a whole view is gone; a page that cannot be read stays where it is. */
static int put_page(uintptr_t at)
{
    return VirtualAlloc((void *)(at & ~(uintptr_t)0xffff), 0x10000, MEM_RESERVE | MEM_COMMIT,
                        PAGE_READWRITE) != 0;
}

static __thread void *volatile guard_place[5];
static __thread volatile int guarded;

static void jump_out(void) { __builtin_longjmp((void **)guard_place, 1); }

static LONG CALLBACK on_fault(EXCEPTION_POINTERS *what)
{
    DWORD code = what->ExceptionRecord->ExceptionCode;
    if (code != EXCEPTION_ACCESS_VIOLATION && code != EXCEPTION_IN_PAGE_ERROR)
        return EXCEPTION_CONTINUE_SEARCH;
    if (!guarded)
        return shielded(what->ExceptionRecord->ExceptionInformation[1])
             ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
    guarded = 0;
    what->ContextRecord->Rip = (DWORD64)jump_out;
    what->ContextRecord->Rsp = (what->ContextRecord->Rsp & ~15ULL) - 8;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void guard_arm(void)
{
    static volatile LONG armed;
    if (!InterlockedExchange(&armed, 1))
        AddVectoredExceptionHandler(1, on_fault);
}

#define GUARDED(call)                                        \
    do {                                                     \
        guard_arm();                                         \
        if (__builtin_setjmp((void **)guard_place)) return FAULT; \
        guarded = 1;                                         \
        int result = (call);                                 \
        guarded = 0;                                         \
        return result;                                       \
    } while (0)

#else

static __thread sigjmp_buf guard_place;
static __thread volatile sig_atomic_t guarded;
static struct sigaction before_bus, before_ill;

static int put_page(uintptr_t at)
{
    /* A mapping of huge pages takes only its own size: EINVAL for less. */
    for (uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE); size <= 1u << 30; size <<= 9) {
        void *put = mmap((void *)(at & ~(size - 1)), size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (put != MAP_FAILED) return 1;
        if (errno != EINVAL) return 0;
    }
    return 0;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    if (guarded) {
        guarded = 0;
        siglongjmp(guard_place, 1);
    }
    int kept = errno;
    int again = number == SIGBUS && shielded((uintptr_t)info->si_addr);
    errno = kept;
    if (again) return;
    /* Not ours: hand on to whoever had the signal before (faulthandler), or die of it. */
    struct sigaction *before = number == SIGBUS ? &before_bus : &before_ill;
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(number, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void take_signal(int number, struct sigaction *before)
{
    struct sigaction there;
    sigaction(number, 0, &there);
    if ((there.sa_flags & SA_SIGINFO) && there.sa_sigaction == on_fault)
        return;
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_NODEFER; /* the jump leaves no signal blocked */
    sigemptyset(&ours.sa_mask);
    *before = there;
    sigaction(number, &ours, 0);
}

/* SIGILL too: where a device's memory is switched off, KVM emulates each access to it, and answers
 * a vector instruction that it does not know as an undefined one. */
static void guard_arm(void)
{
    take_signal(SIGBUS, &before_bus);
    take_signal(SIGILL, &before_ill);
}

#define GUARDED(call)                                   \
    do {                                                \
        guard_arm();                                    \
        if (sigsetjmp(guard_place, 0)) return FAULT;    \
        guarded = 1;                                    \
        int result = (call);                            \
        guarded = 0;                                    \
        return result;                                  \
    } while (0)

#endif

/* --- words shared with the peer ---------------------------------------------------------------- */

static inline uint64_t load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
static inline int told_to_stop(const int32_t *stop)
{
    return __atomic_load_n(stop, __ATOMIC_RELAXED);
}

/* --- echo: the initiator's side -------------------------------------------------------------------- */

struct ping {
    uint64_t *ping, *pong;        /* words in the lane */
    uint8_t *out, *in;            /* payload halves in the lane */
    uint8_t *source, *sink;       /* payload in our own memory */
    uint64_t payload;             /* bytes; 0 when the number is the payload */
    const int32_t *stop;
    uint64_t number;              /* last one sent */
    uint64_t seen;                /* last pong that was read */
    int64_t pending;              /* 1 while a request is unanswered */
    int64_t sent_ns, intended_ns; /* of the unanswered request */
    int64_t base_ns;              /* the schedule: base + index * interval */
    int64_t index;
    double interval_ns;           /* 0: closed loop */
    int64_t end_ns, slice_end_ns, timeout_ns;
    int64_t wait, poll_ns;
    int64_t capacity, count;      /* of the four arrays */
    int64_t *intended, *sent, *received, *stamps;
    int64_t lost;                 /* sent, and no answer in time */
    int64_t missed;               /* due while an answer was waited for, and never sent */
    int64_t skipped;              /* due, and never sent because of ourselves */
    int64_t unexpected;
    int64_t turn_ns;              /* when our loop last went round, or an answer was there */
    int64_t stall_ns;             /* a turn that takes longer is one in which we stood still */
    int64_t stood_ns;             /* how long that was, outside the waits for answers */
    int64_t answered_ns;          /* when the last wait for an answer was over */
};

static inline int64_t due_ns(const struct ping *p)
{
    return p->base_ns + (int64_t)((double)p->index * p->interval_ns);
}

static inline void wait_a_bit(int64_t wait, int64_t poll_ns)
{
    if (wait == SPIN)
        rest();
    else if (wait == YIELD)
        yield_core();
    else
        sleep_ns(poll_ns);
}

/* Pass over what is due until then; how many those were. */
static int64_t pass_until(struct ping *p, int64_t then)
{
    int64_t passed = 0;
    if (then > p->end_ns) then = p->end_ns;
    for (; p->interval_ns > 0 && due_ns(p) < then; p->index++) passed++;
    return passed;
}

/* Another turn of our own loop. */
static inline void note_turn(struct ping *p, int64_t now)
{
    if (now - p->turn_ns > p->stall_ns) p->stood_ns += now - p->turn_ns;
    p->turn_ns = now;
}

/* Wait until the next one is due. 1: send it now. What was due before the end is sent also after
 * it, within the time that an answer may take, or a stall at the end would be hidden. */
static int await_due(struct ping *p, int *result)
{
    for (;;) {
        int64_t now = now_ns();
        int64_t due = p->interval_ns > 0 ? due_ns(p) : now;
        note_turn(p, now);
        if (due >= p->end_ns) { *result = DONE; return 0; }
        if (now >= p->end_ns + p->timeout_ns) {
            p->missed += pass_until(p, now < p->answered_ns ? now : p->answered_ns);
            p->skipped += pass_until(p, now);
            *result = DONE;
            return 0;
        }
        if (now >= p->slice_end_ns) { *result = AGAIN; return 0; }
        if (now >= due) {
            p->intended_ns = due;
            p->index++;
            return 1;
        }
        if (told_to_stop(p->stop)) { *result = STOPPED; return 0; }
        if (p->wait == POLL)
            sleep_ns(due - now < p->poll_ns ? due - now : p->poll_ns);
        else
            wait_a_bit(p->wait, 0);
    }
}

static void give_up(struct ping *p, int64_t now)
{
    p->lost++;
    p->pending = 0;
    p->turn_ns = p->answered_ns = now;
    p->missed += pass_until(p, now); /* these were due while nobody answered */
}

static void record_pong(struct ping *p, int64_t now)
{
    int64_t at = p->count++;
    p->intended[at] = p->interval_ns > 0 ? p->intended_ns : p->sent_ns;
    p->sent[at] = p->sent_ns;
    p->received[at] = now;
    p->stamps[at] = (int64_t)(load(p->pong + 1) & INT64_MAX);
    p->seen = p->number;
    p->pending = 0;
    p->turn_ns = p->answered_ns = now;
}

/* The answer comes soon, mostly: nothing but the load in between. 1: it came. */
static inline int spin_for(const uint64_t *pong, uint64_t number)
{
    for (int turn = 0; turn < 256; turn++) {
        if (load(pong) == number) return 1;
        rest();
    }
    return 0;
}

/* Wait for the answer to the unanswered request. 1: it was recorded or timed out. */
static int await_pong(struct ping *p, int *result)
{
    for (;;) {
        if (p->wait == SPIN ? spin_for(p->pong, p->number) : load(p->pong) == p->number) {
            if (p->payload) memcpy(p->sink, p->in, p->payload);
            record_pong(p, now_ns());
            return 1;
        }
        uint64_t there = load(p->pong);
        if (there == p->number) continue;
        if (there != p->seen) {
            p->unexpected++;
            p->seen = there;
        }
        int64_t now = now_ns();
        if (now - p->sent_ns > p->timeout_ns) { give_up(p, now); return 1; }
        if (told_to_stop(p->stop)) { *result = STOPPED; return 0; }
        if (now >= p->slice_end_ns + GRACE_NS) { *result = AGAIN; return 0; }
        wait_a_bit(p->wait, p->poll_ns);
    }
}

static int run_ping(struct ping *p)
{
    int result = AGAIN;
    p->turn_ns = now_ns();
    while (p->count < p->capacity) {
        if (!p->pending) {
            if (!await_due(p, &result)) return result;
            p->sent_ns = now_ns();
            note_turn(p, p->sent_ns);
            if (p->payload) memcpy(p->out, p->source, p->payload);
            store(p->ping, ++p->number);
            p->pending = 1;
        }
        if (!await_pong(p, &result)) return result;
    }
    return AGAIN;
}

EXPORT int scope_ping(struct ping *p) { GUARDED(run_ping(p)); }

/* The same loop without a responder: the time that the instrument itself takes. The word is stored
 * again in each turn, in case something wrote over it. */
static int run_floor(struct ping *p)
{
    for (p->count = 0; p->count < p->capacity; p->count++) {
        int64_t sent = now_ns();
        if (p->payload) memcpy(p->out, p->source, p->payload);
        store(p->ping, ++p->number);
        for (int turn = 1; load(p->ping) != p->number; turn++) {
            if (turn % 256 == 0) store(p->ping, p->number);
            rest();
        }
        if (p->payload) memcpy(p->sink, p->out, p->payload);
        p->sent[p->count] = sent;
        p->received[p->count] = now_ns();
    }
    return DONE;
}

EXPORT int scope_floor(struct ping *p) { GUARDED(run_floor(p)); }

/* --- echo: the responder's side ----------------------------------------------------------------------- */

struct pong {
    uint64_t *ping, *pong;
    uint8_t *in, *out;
    uint8_t *scratch;             /* our own copy in between, as a program that uses the data has */
    uint64_t payload;
    const int32_t *stop;
    uint64_t last;                /* last number that was answered */
    int64_t stamp;
    int64_t wait, poll_ns;
    int64_t slice_end_ns;
    int64_t answered;
};

static int run_pong(struct pong *p)
{
    const uint64_t *ping = p->ping;
    const int turns = p->wait == SPIN ? 1024 : 1;
    uint64_t last = p->last;
    for (;;) {
        for (int turn = 0; turn < turns; turn++) {
            uint64_t there = load(ping);
            if (there == last) {
                wait_a_bit(p->wait, p->poll_ns);
                continue;
            }
            if (p->payload) {
                memcpy(p->scratch, p->in, p->payload);
                memcpy(p->out, p->scratch, p->payload);
            }
            if (p->stamp) store(p->pong + 1, (uint64_t)now_ns());
            store(p->pong, there);
            p->last = last = there;
            p->answered++;
        }
        if (told_to_stop(p->stop)) return STOPPED;
        if (now_ns() >= p->slice_end_ns) return AGAIN;
    }
}

EXPORT int scope_pong(struct pong *p) { GUARDED(run_pong(p)); }

/* --- transfer: one end of a ring, or of two --------------------------------------------------------- */

struct flow {
    uint64_t *send, *take;             /* words of our SEND and TAKE lines */
    const uint64_t *their_send, *their_take;
    uint64_t *out_heads;               /* two words for each cell: number and checksum */
    uint8_t *out_cells;
    const uint64_t *in_heads;
    const uint8_t *in_cells;
    const uint8_t *source;             /* the pieces that are sent, in our own memory */
    const uint64_t *sums;              /* their checksums */
    uint8_t *scratch;                  /* one piece: copied here, where no peer writes, and checked */
    uint64_t piece, step, cells, sources, batch, run;
    int64_t sending, receiving;
    const int32_t *stop;
    int64_t end_ns, slice_end_ns;
    uint64_t filled, confirmed, taken;
    int64_t good, bad, out_of_order, unexpected;
    uint64_t unexpected_word;                    /* the last impossible word of the peer */
};

static void note_stray(struct flow *f, uint64_t word)
{
    f->unexpected += word != f->unexpected_word;
    f->unexpected_word = word;
}

/* Fill a batch of cells when there is room for one; how many. */
static uint64_t send_some(struct flow *f, int over)
{
    uint64_t theirs = load(f->their_take);
    if (theirs - f->confirmed <= f->filled - f->confirmed)
        f->confirmed = theirs;
    else
        note_stray(f, theirs);
    if (over || f->cells - (f->filled - f->confirmed) < f->batch)
        return 0;
    uint64_t at = f->filled % f->cells, from = f->filled % f->sources;
    for (uint64_t i = 0; i < f->batch; i++) {
        memcpy(f->out_cells + at * f->step, f->source + from * f->step, f->piece);
        f->out_heads[2 * at] = f->run + f->filled + i;
        f->out_heads[2 * at + 1] = f->sums[from];
        if (++at == f->cells) at = 0;
        if (++from == f->sources) from = 0;
    }
    f->filled += f->batch;
    store(f->send, f->filled);
    return f->batch;
}

/* Take and check what is there, at most a batch; how many. */
static uint64_t take_some(struct flow *f)
{
    uint64_t theirs = load(f->their_send), there = theirs - f->taken;
    if (there > f->cells) {
        note_stray(f, theirs);
        return 0;
    }
    if (there > f->batch) there = f->batch;
    if (!there) return 0;
    uint64_t at = f->taken % f->cells, from = f->taken % f->sources;
    for (uint64_t i = 0; i < there; i++) {
        memcpy(f->scratch, f->in_cells + at * f->step, f->piece);
        uint64_t number = f->in_heads[2 * at], sum = f->in_heads[2 * at + 1];
        if (number != f->run + f->taken + i)
            f->out_of_order++;
        else if (sum != f->sums[from] || memcmp(f->scratch, f->source + from * f->step, f->piece))
            f->bad++;
        else
            f->good++;
        if (++at == f->cells) at = 0;
        if (++from == f->sources) from = 0;
    }
    f->taken += there;
    f->take[2] = (uint64_t)f->good;
    f->take[3] = (uint64_t)f->bad;
    f->take[4] = (uint64_t)f->out_of_order;
    store(f->take, f->taken);
    return there;
}

static int run_flow(struct flow *f)
{
    for (uint32_t idle = 0;;) {
        int64_t now = now_ns();
        int over = now >= f->end_ns;
        if (now >= f->slice_end_ns) return AGAIN;
        if (told_to_stop(f->stop)) return STOPPED;
        uint64_t moved = f->sending ? send_some(f, over) : 0;
        if (f->receiving && !over) moved += take_some(f);
        if (over && (!f->sending || f->confirmed == f->filled)) return DONE;
        if (moved)
            idle = 0;
        else if (++idle < 256)
            rest();
        else
            yield_core();
    }
}

EXPORT int scope_flow(struct flow *f) { GUARDED(run_flow(f)); }

/* --- copies between a mapping and our own memory ----------------------------------------------- */

/* The mapping is accessed by aligned loads and stores only, each as wide as place and length allow,
 * and each byte once: what is narrow and aligned is one access of its width, and no access reaches
 * out of the range. On uncached memory each access is a transaction of its own, and a copy byte by
 * byte (rep movsb, as the system's own copies are) takes as many times as long. */

typedef uint16_t half_word __attribute__((may_alias));
typedef uint32_t single_word __attribute__((may_alias));
typedef uint64_t double_word __attribute__((may_alias));
typedef uint64_t wide __attribute__((vector_size(16), may_alias));
typedef uint64_t any_wide __attribute__((vector_size(16), may_alias, aligned(1)));

enum { GROUP = 128 };             /* bytes of one turn of the wide loops */
enum { COPY_PAGE = 4096 };        /* what vanishes vanishes by pages */
enum { LARGE = 4 << 20 };         /* stores of so much would push all else out of the cache */

struct copy {
    uint8_t *mapped, *own;
    uint64_t length;
    int64_t storing;              /* 1: from our own memory into the mapping */
    int64_t streaming;            /* 1: the mapping is write-combined */
    volatile uint64_t done;       /* bytes that were copied for certain */
};

/* One access of the largest width that fits; its bytes. */
static inline uint64_t load_narrow(uint8_t *own, const uint8_t *mapped, uint64_t left)
{
    uint64_t width = 16;
    while (((uintptr_t)mapped & (width - 1)) || width > left) width >>= 1;
    if (width == 16) {
        *(any_wide *)own = *(const volatile wide *)mapped;
    } else if (width == 8) {
        uint64_t x = *(const volatile double_word *)mapped;
        memcpy(own, &x, 8);
    } else if (width == 4) {
        uint32_t x = *(const volatile single_word *)mapped;
        memcpy(own, &x, 4);
    } else if (width == 2) {
        uint16_t x = *(const volatile half_word *)mapped;
        memcpy(own, &x, 2);
    } else {
        *own = *(const volatile uint8_t *)mapped;
    }
    return width;
}

static inline uint64_t store_narrow(uint8_t *mapped, const uint8_t *own, uint64_t left)
{
    uint64_t width = 16;
    while (((uintptr_t)mapped & (width - 1)) || width > left) width >>= 1;
    if (width == 16) {
        *(volatile wide *)mapped = *(const any_wide *)own;
    } else if (width == 8) {
        uint64_t x;
        memcpy(&x, own, 8);
        *(volatile double_word *)mapped = x;
    } else if (width == 4) {
        uint32_t x;
        memcpy(&x, own, 4);
        *(volatile single_word *)mapped = x;
    } else if (width == 2) {
        uint16_t x;
        memcpy(&x, own, 2);
        *(volatile half_word *)mapped = x;
    } else {
        *(volatile uint8_t *)mapped = *own;
    }
    return width;
}

/* Groups of 128 bytes at an aligned place, `size` a multiple of them. */
static void load_groups(uint8_t *own, const uint8_t *mapped, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        const volatile wide *from = (const volatile wide *)(mapped + at);
        any_wide *to = (any_wide *)(own + at);
        for (int half = 0; half < 2; half++, from += 4, to += 4) {
            wide a = from[0], b = from[1], c = from[2], d = from[3];
            to[0] = a, to[1] = b, to[2] = c, to[3] = d;
        }
    }
}

static void store_groups(uint8_t *mapped, const uint8_t *own, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        volatile wide *to = (volatile wide *)(mapped + at);
        const any_wide *from = (const any_wide *)(own + at);
        for (int half = 0; half < 2; half++, from += 4, to += 4) {
            wide a = from[0], b = from[1], c = from[2], d = from[3];
            to[0] = a, to[1] = b, to[2] = c, to[3] = d;
        }
    }
}

#if defined(__x86_64__) && !defined(_WIN32) /* gcc does not align a stack for these on Windows */

typedef uint64_t wider __attribute__((vector_size(32), may_alias));

/* A load from write-combined memory that is no streaming load fetches its line each time. */
__attribute__((target("sse4.1")))
static void load_groups_streaming(uint8_t *own, const uint8_t *mapped, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP / 2) {
        __m128i *from = (__m128i *)(mapped + at), *to = (__m128i *)(own + at);
        __m128i a = _mm_stream_load_si128(from), b = _mm_stream_load_si128(from + 1);
        __m128i c = _mm_stream_load_si128(from + 2), d = _mm_stream_load_si128(from + 3);
        _mm_storeu_si128(to, a), _mm_storeu_si128(to + 1, b);
        _mm_storeu_si128(to + 2, c), _mm_storeu_si128(to + 3, d);
    }
}

__attribute__((target("avx2")))
static void load_groups_avx2(uint8_t *own, const uint8_t *mapped, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        const volatile wider *from = (const volatile wider *)(mapped + at);
        __m256i *to = (__m256i *)(own + at);
        wider a = from[0], b = from[1], c = from[2], d = from[3];
        _mm256_storeu_si256(to, (__m256i)a), _mm256_storeu_si256(to + 1, (__m256i)b);
        _mm256_storeu_si256(to + 2, (__m256i)c), _mm256_storeu_si256(to + 3, (__m256i)d);
    }
}

__attribute__((target("avx2")))
static void store_groups_avx2(uint8_t *mapped, const uint8_t *own, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        volatile wider *to = (volatile wider *)(mapped + at);
        const __m256i *from = (const __m256i *)(own + at);
        wider a = (wider)_mm256_loadu_si256(from), b = (wider)_mm256_loadu_si256(from + 1);
        wider c = (wider)_mm256_loadu_si256(from + 2), d = (wider)_mm256_loadu_si256(from + 3);
        to[0] = a, to[1] = b, to[2] = c, to[3] = d;
    }
}

static void store_groups_streaming(uint8_t *mapped, const uint8_t *own, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP / 2) {
        __m128i *to = (__m128i *)(mapped + at);
        const __m128i *from = (const __m128i *)(own + at);
        __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
        __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
        _mm_stream_si128(to, a), _mm_stream_si128(to + 1, b);
        _mm_stream_si128(to + 2, c), _mm_stream_si128(to + 3, d);
    }
}

__attribute__((target("avx2")))
static void load_groups_streaming_avx2(uint8_t *own, const uint8_t *mapped, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        __m256i *from = (__m256i *)(mapped + at), *to = (__m256i *)(own + at);
        __m256i a = _mm256_stream_load_si256(from), b = _mm256_stream_load_si256(from + 1);
        __m256i c = _mm256_stream_load_si256(from + 2), d = _mm256_stream_load_si256(from + 3);
        _mm256_storeu_si256(to, a), _mm256_storeu_si256(to + 1, b);
        _mm256_storeu_si256(to + 2, c), _mm256_storeu_si256(to + 3, d);
    }
}

__attribute__((target("avx2")))
static void store_groups_streaming_avx2(uint8_t *mapped, const uint8_t *own, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += GROUP) {
        __m256i *to = (__m256i *)(mapped + at);
        const __m256i *from = (const __m256i *)(own + at);
        __m256i a = _mm256_loadu_si256(from), b = _mm256_loadu_si256(from + 1);
        __m256i c = _mm256_loadu_si256(from + 2), d = _mm256_loadu_si256(from + 3);
        _mm256_stream_si256(to, a), _mm256_stream_si256(to + 1, b);
        _mm256_stream_si256(to + 2, c), _mm256_stream_si256(to + 3, d);
    }
}

static int has_sse41, has_avx2;

static void ask_processor(void)
{
    static int asked;
    unsigned a, b, c, d, low, high;
    if (__atomic_load_n(&asked, __ATOMIC_ACQUIRE)) return;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        has_sse41 = (c & bit_SSE4_1) != 0;
        if ((c & bit_OSXSAVE) && (c & bit_AVX)) {
            __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
            if ((low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d))
                has_avx2 = (b & bit_AVX2) != 0;
        }
    }
    __atomic_store_n(&asked, 1, __ATOMIC_RELEASE);
}

typedef void groups(uint8_t *to, const uint8_t *from, uint64_t size);

static groups *choose_groups(int64_t storing, int64_t streaming)
{
    ask_processor();
    if (streaming && storing)
        return has_avx2 ? store_groups_streaming_avx2 : store_groups_streaming;
    if (streaming && has_sse41)
        return has_avx2 ? load_groups_streaming_avx2 : load_groups_streaming;
    if (storing)
        return has_avx2 ? store_groups_avx2 : store_groups;
    return has_avx2 ? load_groups_avx2 : load_groups;
}

#else

typedef void groups(uint8_t *to, const uint8_t *from, uint64_t size);

static groups *choose_groups(int64_t storing, int64_t streaming)
{
    (void)streaming;
    return storing ? store_groups : load_groups;
}

#endif

static void copy_part(groups *move, int64_t storing, uint8_t *mapped, uint8_t *own, uint64_t size)
{
    uint64_t at = 0;
    while (at < size) {
        uint64_t whole = (size - at) & ~(uint64_t)(GROUP - 1);
        if (whole && !((uintptr_t)(mapped + at) & 31)) {
            if (storing) move(mapped + at, own + at, whole);
            else move(own + at, mapped + at, whole);
            at += whole;
        } else if (storing) {
            at += store_narrow(mapped + at, own + at, size - at);
        } else {
            at += load_narrow(own + at, mapped + at, size - at);
        }
    }
}

/* What was stored is on its way to the memory, out of the write-combining buffers. */
static void drain(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("sfence" ::: "memory");
#elif defined(__aarch64__)
    __asm__ volatile("dsb st" ::: "memory");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static int run_copy(struct copy *c)
{
    groups *move = choose_groups(c->storing, c->streaming || (c->storing && c->length >= LARGE));
    for (uint64_t at = 0; at < c->length;) {
        uint64_t left = c->length - at;
        uint64_t size = COPY_PAGE - ((uintptr_t)(c->mapped + at) & (COPY_PAGE - 1));
        if (size > left) size = left;
        copy_part(move, c->storing, c->mapped + at, c->own + at, size);
        c->done = at += size;
    }
    if (c->storing) drain();
    return DONE;
}

static int guarded_copy(struct copy *c) { GUARDED(run_copy(c)); }

/* The mapping's bytes into our own memory. How many came: fewer than asked when the memory went. */
EXPORT uint64_t scope_copy_out(uint8_t *own, uint8_t *mapped, uint64_t length, int streaming)
{
    struct copy c = {.mapped = mapped, .own = own, .length = length, .streaming = streaming};
    guarded_copy(&c);
    return c.done;
}

/* Our own bytes into the mapping, likewise; of what follows, some may have been stored too. */
EXPORT uint64_t scope_copy_in(uint8_t *mapped, uint8_t *own, uint64_t length, int streaming)
{
    struct copy c = {
        .mapped = mapped, .own = own, .length = length, .storing = 1, .streaming = streaming,
    };
    guarded_copy(&c);
    return c.done;
}

/* --- raw mapping: single words, and blocks ------------------------------------------------------------ */

struct touch {
    uint64_t *words;
    uint64_t mask;                /* words in the block less one; a power of two less one */
    uint64_t count, seed;
    uint64_t zero;                /* 0, which the compiler does not know */
    int64_t storing, took_ns;
};

/* Each place depends on the word loaded before, so that no two loads overlap. */
static int run_touch(struct touch *t)
{
    uint64_t x = t->seed, found = 0, zero = t->zero;
    int64_t began = now_ns();
    for (uint64_t i = 0; i < t->count; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL + (found & zero);
        volatile uint64_t *word = t->words + ((x >> 33) & t->mask);
        if (t->storing)
            *word = x;
        else
            found = *word;
    }
    t->took_ns = now_ns() - began;
    t->seed = x;
    return DONE;
}

EXPORT int scope_touch(struct touch *t) { GUARDED(run_touch(t)); }

enum { INSIDE = 0, OUT_OF_MAPPING = 1, INTO_MAPPING = 2 };

struct copies {
    uint8_t *to, *from;
    uint64_t size, count;
    int64_t direction, streaming;
    int64_t took_ns;
};

/* Blocks go in and out of the mapping as a Region copies them. */
static int run_copies(struct copies *c)
{
    int storing = c->direction == INTO_MAPPING;
    struct copy block = {
        .mapped = storing ? c->to : c->from,
        .own = storing ? c->from : c->to,
        .length = c->size,
        .storing = storing,
        .streaming = c->streaming,
    };
    int64_t began = now_ns();
    for (uint64_t i = 0; i < c->count; i++) {
        if (c->direction == INSIDE)
            memcpy(c->to, c->from, c->size);
        else
            run_copy(&block);
        __asm__ volatile("" ::: "memory");
    }
    c->took_ns = now_ns() - began;
    return DONE;
}

EXPORT int scope_copies(struct copies *c) { GUARDED(run_copies(c)); }

/* --- change scan: the mapping against what was seen before --------------------------------------------- */

struct differ {
    const uint8_t *live, *before;
    uint8_t *into;                /* our own memory: pages that differ are copied to their place */
    uint8_t *flags;               /* one for each page, zeros: 1 where it differs */
    uint64_t length, page;        /* the last page may be short */
    int64_t holes;                /* 1: there may be pages without memory, which must not get any */
};

enum { CHUNK = 256 };             /* pages */

/* Whether these bytes are in memory. Asked right before they are read: a file that was cut and has
 * grown again since the last pass has holes. */
static int resident(const uint8_t *live, uint64_t length)
{
#ifdef _WIN32
    (void)live;
    return !length;
#else
    unsigned char in_memory[CHUNK];
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = (length + page - 1) / page;
    if (pages > CHUNK || mincore((void *)live, length, in_memory)) return 0;
    for (uint64_t at = 0; at < pages; at++)
        if (!(in_memory[at] & 1)) return 0;
    return 1;
#endif
}

/* A page may change between the comparison and the copy: what was copied is what was seen. */
static int run_differ(struct differ *d)
{
    const uint8_t *live = d->live, *before = d->before;
    const uint64_t length = d->length, page = d->page;
    for (uint64_t at = 0, number = 0; at < length; at += page, number++) {
        uint64_t left = length - at, size = left < page ? left : page;
        if (d->holes && number % CHUNK == 0
            && !resident(live + at, left < CHUNK * page ? left : CHUNK * page))
            return STOPPED;
        if (!memcmp(live + at, before + at, size)) continue;
        memcpy(d->into + at, live + at, size);
        d->flags[number] = 1;
    }
    return DONE;
}

EXPORT int scope_differ(struct differ *d) { GUARDED(run_differ(d)); }

/* --- search: bytes under a mask, and values in a range ------------------------------------------------- */

struct find {
    const uint8_t *data;          /* a copy or a mapping; `size` bytes may be read from every start */
    const uint8_t *value, *mask;  /* a byte matches when its bits under the mask are the value's */
    uint64_t size;
    uint64_t first, second;       /* which two of them are looked at first: rare ones */
    uint64_t at, end;             /* starts to look at; `at` moves on */
    uint64_t step, phase;         /* only starts with (start + phase) % step == 0 */
    int64_t *hits;
    uint64_t capacity, count;
    int64_t holes;                /* 1: there may be pages without memory, which must not get any */
};

struct range {
    const uint8_t *data;          /* as above, `width` bytes */
    uint64_t width;               /* 1, 2, 4 or 8 */
    int64_t big;                  /* 1: big endian */
    uint64_t low, span;           /* a word matches when (word - low) mod 2^bits <= span */
    uint64_t at, end, step, phase;
    int64_t *hits;
    uint64_t capacity, count;
    int64_t holes;
};

static inline int under_mask(const struct find *f, const uint8_t *p)
{
    uint64_t i = 0;
    for (; i + 8 <= f->size; i += 8) {
        uint64_t x, v, m;
        memcpy(&x, p + i, 8), memcpy(&v, f->value + i, 8), memcpy(&m, f->mask + i, 8);
        if ((x ^ v) & m) return 0;
    }
    for (; i < f->size; i++)
        if ((p[i] ^ f->value[i]) & f->mask[i]) return 0;
    return 1;
}

static inline int on_step(uint64_t at, uint64_t step, uint64_t phase)
{
    return step < 2 || (at + phase) % step == 0;
}

/* Starts one after the other; up to `until`, or until the hits are full. */
static void find_each(struct find *f, uint64_t until)
{
    for (; f->at < until && f->count < f->capacity; f->at++)
        if (on_step(f->at, f->step, f->phase) && under_mask(f, f->data + f->at))
            f->hits[f->count++] = (int64_t)f->at;
}

static inline uint64_t word_at(const uint8_t *p, uint64_t width, int64_t big)
{
    uint64_t x = 0;
    for (uint64_t i = 0; i < width; i++)
        x |= (uint64_t)p[i] << 8 * (big ? width - 1 - i : i);
    return x;
}

static void range_each(struct range *r, uint64_t until)
{
    uint64_t bits = r->width < 8 ? ((uint64_t)1 << 8 * r->width) - 1 : ~(uint64_t)0;
    for (; r->at < until && r->count < r->capacity; r->at++) {
        if (!on_step(r->at, r->step, r->phase)) continue;
        if (((word_at(r->data + r->at, r->width, r->big) - r->low) & bits) <= r->span)
            r->hits[r->count++] = (int64_t)r->at;
    }
}

#if defined(__x86_64__)

/* The starts of a block at `from` that `bits` names, the lowest first. */
#define TAKE(s, from, bits, fits)                                           \
    for (uint64_t left = (bits); left; left &= left - 1) {                  \
        uint64_t start = (from) + (uint64_t)__builtin_ctzll(left);          \
        if (on_step(start, (s)->step, (s)->phase) && (fits))                \
            (s)->hits[(s)->count++] = (int64_t)start;                       \
    }

/* Groups of four blocks of `V` starts, while a whole group of hits fits; the rest is for find_each.
 * Most groups have no hit, and are asked about all at once. */
#define FIND_BLOCKS(name, attribute, V, vector, loadu, set1, and, or, cmpeq, movemask)  \
    attribute static void name(struct find *f)                                          \
    {                                                                                   \
        const vector v1 = set1((char)f->value[f->first]), m1 = set1((char)f->mask[f->first]);   \
        const vector v2 = set1((char)f->value[f->second]), m2 = set1((char)f->mask[f->second]); \
        const uint8_t *one = f->data + f->first, *two = f->data + f->second;            \
        const uint64_t end = f->end;                                                    \
        uint64_t at = f->at;                                                            \
        for (; at + 4 * V <= end && f->count + 4 * V <= f->capacity; at += 4 * V) {     \
            vector fits[4];                                                             \
            __builtin_prefetch(one + at + AHEAD);                                       \
            if (V > 16) __builtin_prefetch(one + at + AHEAD + 64);                      \
            _Pragma("GCC unroll 4")                                                     \
            for (int b = 0; b < 4; b++) {                                               \
                vector x = loadu((const vector *)(one + at + b * V));                   \
                vector y = loadu((const vector *)(two + at + b * V));                   \
                fits[b] = and(cmpeq(and(x, m1), v1), cmpeq(and(y, m2), v2));            \
            }                                                                           \
            if (__builtin_expect(!movemask(or(or(fits[0], fits[1]), or(fits[2], fits[3]))), 1)) \
                continue;                                                               \
            for (uint64_t b = 0; b < 4; b++)                                            \
                TAKE(f, at + b * V, (uint32_t)movemask(fits[b]), under_mask(f, f->data + start)) \
        }                                                                               \
        f->at = at;                                                                     \
    }

/* One load for each start of a word: lane i of load k is the word at at + k + i * sizeof(type). */
#define RANGE_BLOCKS(name, attribute, V, type, swap, vector, movemask, every)           \
    attribute static void name(struct range *r)                                         \
    {                                                                                   \
        typedef type lanes __attribute__((vector_size(V)));                             \
        typedef type loose __attribute__((vector_size(V), aligned(1), may_alias));       \
        const lanes low = (lanes){0} + (type)r->low, span = (lanes){0} + (type)r->span; \
        const uint64_t end = r->end;                                                    \
        uint64_t at = r->at;                                                            \
        for (; at + 2 * V <= end && r->count + 2 * V <= r->capacity; at += 2 * V) {     \
            const uint8_t *from = r->data + at;                                         \
            vector any = (vector)(lanes){0};                                            \
            __builtin_prefetch(from + AHEAD);                                           \
            _Pragma("GCC unroll 16")                                                    \
            for (unsigned k = 0; k < 2 * sizeof(type); k++) {                           \
                lanes x = *(const loose *)(from + k / sizeof(type) * V + k % sizeof(type));      \
                any |= (vector)(swap(x) - low <= span);                                 \
            }                                                                           \
            if (__builtin_expect(!movemask(any), 1)) continue;                          \
            for (uint64_t b = 0; b < 2; b++, from += V) {                               \
                uint32_t bits = 0;                                                      \
                for (unsigned k = 0; k < sizeof(type); k++) {                           \
                    lanes x = *(const loose *)(from + k);                                \
                    bits |= ((uint32_t)movemask((vector)(swap(x) - low <= span)) & every) << k; \
                }                                                                       \
                TAKE(r, at + b * V, bits, 1)                                            \
            }                                                                           \
        }                                                                               \
        r->at = at;                                                                     \
    }

enum { AHEAD = 2048 };            /* bytes: what is read soon is fetched now */

#define AS_IT_IS(x) (x)
#define SWAP2(x) ((x) << 8 | (x) >> 8)
#define SWAP4(x) ((x) << 24 | ((x) & 0xff00) << 8 | ((x) >> 8 & 0xff00) | (x) >> 24)
#define SWAP8(x) ((x) << 56 | ((x) & 0xff00) << 40 | ((x) & 0xff0000) << 24              \
    | ((x) & 0xff000000) << 8 | ((x) >> 8 & 0xff000000) | ((x) >> 24 & 0xff0000)         \
    | ((x) >> 40 & 0xff00) | (x) >> 56)

#define RANGES(suffix, attribute, V, vector, movemask)                                             \
    RANGE_BLOCKS(range_1_##suffix, attribute, V, uint8_t, AS_IT_IS, vector, movemask, 0xffffffffu) \
    RANGE_BLOCKS(range_2_##suffix, attribute, V, uint16_t, AS_IT_IS, vector, movemask, 0x55555555u) \
    RANGE_BLOCKS(range_4_##suffix, attribute, V, uint32_t, AS_IT_IS, vector, movemask, 0x11111111u) \
    RANGE_BLOCKS(range_8_##suffix, attribute, V, uint64_t, AS_IT_IS, vector, movemask, 0x01010101u) \
    RANGE_BLOCKS(swapped_2_##suffix, attribute, V, uint16_t, SWAP2, vector, movemask, 0x55555555u) \
    RANGE_BLOCKS(swapped_4_##suffix, attribute, V, uint32_t, SWAP4, vector, movemask, 0x11111111u) \
    RANGE_BLOCKS(swapped_8_##suffix, attribute, V, uint64_t, SWAP8, vector, movemask, 0x01010101u) \
    static void range_blocks_##suffix(struct range *r)                                             \
    {                                                                                              \
        if (r->width == 1) range_1_##suffix(r);                                                    \
        else if (r->width == 2) (r->big ? swapped_2_##suffix : range_2_##suffix)(r);               \
        else if (r->width == 4) (r->big ? swapped_4_##suffix : range_4_##suffix)(r);               \
        else (r->big ? swapped_8_##suffix : range_8_##suffix)(r);                                  \
    }

FIND_BLOCKS(find_sse2, , 16, __m128i, _mm_loadu_si128, _mm_set1_epi8, _mm_and_si128,
            _mm_or_si128, _mm_cmpeq_epi8, _mm_movemask_epi8)
RANGES(sse2, , 16, __m128i, _mm_movemask_epi8)

#ifdef _WIN32 /* gcc does not align a stack for wider ones there */

static void find_blocks(struct find *f) { find_sse2(f); }
static void range_blocks(struct range *r) { range_blocks_sse2(r); }

#else

#define AVX2 __attribute__((target("avx2")))
FIND_BLOCKS(find_avx2, AVX2, 32, __m256i, _mm256_loadu_si256, _mm256_set1_epi8, _mm256_and_si256,
            _mm256_or_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8)
RANGES(avx2, AVX2, 32, __m256i, _mm256_movemask_epi8)

static void find_blocks(struct find *f)
{
    ask_processor();
    (has_avx2 ? find_avx2 : find_sse2)(f);
}

static void range_blocks(struct range *r)
{
    ask_processor();
    (has_avx2 ? range_blocks_avx2 : range_blocks_sse2)(r);
}

#endif

#else

static void find_blocks(struct find *f) { (void)f; }
static void range_blocks(struct range *r) { (void)r; }

#endif

enum { BLOCK = 128 };             /* most hits of one turn of the wide loops */
enum { PART = 512 << 10 };        /* starts before which it is asked what is in memory */

/* Whether these bytes, wherever they begin in a page, are in memory. */
static int all_resident(const uint8_t *data, uint64_t length)
{
    uint64_t before = (uintptr_t)data & (COPY_PAGE - 1);
    return resident(data - before, length + before);
}

/* All starts in [at, end) that match. AGAIN: no room for more hits, go on from `at`. */
static int run_find(struct find *f)
{
    const uint64_t end = f->end;
    int result = DONE;
    while (f->at < end && result == DONE) {
        uint64_t part = end - f->at < PART ? end - f->at : PART;
        if (f->holes && !all_resident(f->data + f->at, part + f->size - 1)) {
            result = STOPPED;
            break;
        }
        f->end = f->at + part;
        find_blocks(f);
        if (f->count + BLOCK <= f->capacity) find_each(f, f->end);
        if (f->at < f->end) result = AGAIN;
    }
    f->end = end;
    return result;
}

EXPORT int scope_find(struct find *f) { GUARDED(run_find(f)); }

static int run_range(struct range *r)
{
    const uint64_t end = r->end;
    int result = DONE;
    while (r->at < end && result == DONE) {
        uint64_t part = end - r->at < PART ? end - r->at : PART;
        if (r->holes && !all_resident(r->data + r->at, part + r->width - 1)) {
            result = STOPPED;
            break;
        }
        r->end = r->at + part;
        range_blocks(r);
        if (r->count + BLOCK <= r->capacity) range_each(r, r->end);
        if (r->at < r->end) result = AGAIN;
    }
    r->end = end;
    return result;
}

EXPORT int scope_range(struct range *r) { GUARDED(run_range(r)); }

/* --- this thread ------------------------------------------------------------------------------------ */

/* Run on one core only; 0 when that worked. */
EXPORT int scope_pin(int core)
{
#ifdef _WIN32
    return SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << core) ? 0 : 1;
#else
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof set, &set) ? 1 : 0;
#endif
}

/* Short sleeps that are short: Linux rounds up by 50 microseconds unless asked not to. */
EXPORT void scope_short_sleeps(void)
{
#ifdef PR_SET_TIMERSLACK
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
#endif
}
