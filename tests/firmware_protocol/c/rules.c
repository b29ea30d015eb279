/* Says of every rule whether it holds. */
#include "bench.h"

#include <stdio.h>

static void ask(const rule *rules, size_t n_rules)
{
    size_t i;
    for (i = 0; i < n_rules; i++) {
        printf("%s %s\n", rules[i].holds() ? "holds" : "BROKEN", rules[i].sentence);
    }
}

int main(void)
{
    ask(set_up_rules, n_set_up_rules);
    ask(session_rules, n_session_rules);
    return 0;
}
