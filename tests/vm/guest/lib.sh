# SPDX-License-Identifier: Apache-2.0
# TAP for the guest scripts: each sources this file, calls check/skip, and ends with finish.
tap_number=0
tap_failed=0

# check WHAT COMMAND...: passes when the command succeeds.
check()
{
    tap_what=$1
    shift
    tap_number=$((tap_number + 1))
    if tap_out=$("$@" 2>&1); then
        echo "ok $tap_number - $tap_what"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_number - $tap_what"
        echo "$tap_out" | sed 's/^/# /'
    fi
}

# is WHAT EXPECTED GOT
is()
{
    tap_number=$((tap_number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $tap_number - $1"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_number - $1"
        printf '# expected: %s\n# got:      %s\n' "$2" "$3"
    fi
}

skip()
{
    tap_number=$((tap_number + 1))
    echo "ok $tap_number - $1 # SKIP $2"
}

# until_true COMMAND: each second for a minute; as text, which is looked at anew each time.
until_true()
{
    for _ in $(seq 60); do
        ! eval "$*" || return 0
        sleep 1
    done
    echo "not within a minute: $*"
    return 1
}

# says PATTERN COMMAND...: succeeds and shows the pattern.
says()
{
    said_pattern=$1
    shift
    said=$("$@" 2>&1) || { echo "$said"; return 1; }
    echo "$said"
    echo "$said" | grep -qE -- "$said_pattern"
}

# denies PATTERN COMMAND...: fails, and says it.
denies()
{
    said_pattern=$1
    shift
    if said=$("$@" 2>&1); then echo "succeeded: $said"; return 1; fi
    echo "$said"
    echo "$said" | grep -qE -- "$said_pattern"
}

pid_of()
{
    casemate inspect --format '{{.State.Pid}}' "$1"
}

group_of()
{
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup")"
}

finish()
{
    echo "1..$tap_number"
    [ $tap_failed -eq 0 ]
    exit
}
