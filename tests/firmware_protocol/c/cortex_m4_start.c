/* What runs before main() on a bare Cortex-M4: the table of vectors, and newlib's own start. */
extern void _start(void);
extern char stack_top[];
void start(void);

void start(void)
{
    _start();
}

static void hang(void)
{
    for (;;) {
    }
}

typedef struct {
    char *stack;
    void (*handlers[6])(void);
} vector_table;

__attribute__((section(".vectors"), used)) static const vector_table vectors = {
    stack_top, {start, hang, hang, hang, hang, hang}};
