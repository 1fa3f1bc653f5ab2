/* SPDX-License-Identifier: Apache-2.0 */
/* casemate completion SHELL: the script that makes a shell ask `casemate __complete`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/verbs.h"

static const char bash[] =
    "# bash completion for casemate\n"
    "_casemate()\n"
    "{\n"
    "    local line files= words\n"
    "    COMPREPLY=()\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
    "    while IFS= read -r line; do\n"
    "        if [ \"$line\" = :files ]; then files=1; else COMPREPLY+=(\"$(printf %q \"$line\")\"); fi\n"
    "    done < <(casemate __complete -- \"${words[@]}\" 2>/dev/null)\n"
    "    if [ -n \"$files\" ]; then\n"
    "        while IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -f -- \"$cur\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _casemate casemate\n";

static const char zsh[] =
    "#compdef casemate\n"
    "_casemate()\n"
    "{\n"
    "    local -a lines\n"
    "    lines=(\"${(@f)$(casemate __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    if [[ ${lines[-1]} == :files ]]; then\n"
    "        lines[-1]=()\n"
    "        _files\n"
    "    fi\n"
    "    compadd -a lines\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _casemate ]; then\n"
    "    _casemate \"$@\"\n"
    "else\n"
    "    compdef _casemate casemate\n"
    "fi\n";

static const char fish[] = "# fish completion for casemate\n"
                           "function __casemate_complete\n"
                           "    set -l words (commandline -opc)[2..-1] (commandline -ct)\n"
                           "    for line in (casemate __complete -- $words 2>/dev/null)\n"
                           "        if test $line = :files\n"
                           "            __fish_complete_path (commandline -ct)\n"
                           "        else\n"
                           "            echo $line\n"
                           "        end\n"
                           "    end\n"
                           "end\n"
                           "complete -c casemate -f -a '(__casemate_complete)'\n";

static int run(const struct invocation *in, struct err *e)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        if (str_equal(in->arguments[0], scripts[i].shell)) {
            fputs(scripts[i].script, stdout);
            return EXIT_SUCCESS;
        }
    }
    return err_set(e, EINVAL, "no completion for '%s': known shells are bash, zsh and fish",
                   in->arguments[0]);
}

const struct verb verb_completion = {
    .name = "completion",
    .group = VERB_SYSTEM,
    .flags = VERB_ANYWHERE,
    .usage = "bash|zsh|fish",
    .summary = "Print the completion script of a shell",
    .arguments_min = 1,
    .arguments_max = 1,
    .complete = "bash zsh fish",
    .run = run,
};
