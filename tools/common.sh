# SPDX-License-Identifier: Apache-2.0
# What quickstart, uninstall and check share; sourced by them with $program set to their name. Bash.

PACKAGES_BUILD=(gcc libc6-dev musl-tools meson ninja-build pkg-config libjson-c-dev nettle-dev libsqlite3-dev libseccomp-dev
    libcurl4-openssl-dev libarchive-dev libisal-dev libzstd-dev scdoc ca-certificates)
PACKAGES_TEST=(git libcmocka-dev clang clang-format clang-tidy cppcheck python3-pytest openssl apache2-utils skopeo
    mmdebstrap busybox-static shellcheck qemu-system-x86 qemu-system-arm gcc-aarch64-linux-gnu e2fsprogs kmod zstd xz-utils strace uidmap
    util-linux procps tinyproxy-bin debhelper dpkg-dev fakeroot lintian)

# The ids that Casemate uses (src/base/ids.h), as useradd must see them.
SUBID_FIRST=1879048192
SUBID_COUNT=268369920

tty=0
[ ! -t 1 ] || tty=1

die()
{
    echo "$program: $*" >&2
    exit 1
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The packages of the arguments that are not installed.
packages_missing()
{
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
    done
}

# Installs what is missing; fetches the package lists only if apt does not know a package yet.
packages_install()
{
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
    as_root "${apt[@]}" --no-install-recommends install "${missing[@]}" </dev/null ||
        { as_root "${apt[@]}" update </dev/null && as_root "${apt[@]}" --no-install-recommends install "${missing[@]}" </dev/null; }
}

# Shows the last line of a growing log behind a text until the process ends.
follow()
{
    local pid=$1 log=$2 text=$3 width last
    while kill -0 "$pid" 2>/dev/null; do
        width=$(tput cols 2>/dev/null || echo 80)
        last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | tr -c '[:print:]\n' ' ')
        printf '\r\033[K%.*s' "$((width - 1))" "$text  $last"
        sleep 0.3
    done
    printf '\r\033[K'
}

# step TEXT LOG COMMAND...: runs it with its output in LOG; one line when it is done, the end of the log if it failed.
step()
{
    local text=$1 log=$2 start=$SECONDS status
    shift 2
    "$@" >"$log" 2>&1 </dev/null &
    step_pid=$!
    [ $tty = 0 ] || follow $step_pid "$log" "$text"
    wait $step_pid
    status=$?
    step_pid=
    if [ $status -eq 0 ]; then
        echo "$text: done ($((SECONDS - start)) s)"
        return 0
    fi
    echo "$text: FAILED (status $status); the end of $log:"
    tail -n 25 "$log" | sed 's/^/    | /'
    return $status
}
