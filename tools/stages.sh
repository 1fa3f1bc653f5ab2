# SPDX-License-Identifier: Apache-2.0
# What the stages of ./check do. Sourced there, run in a process group of its own, with $stage, $build, $logs, $cache,
# $python and $temporary set. Each reports with tally; a stage that reports nothing has failed. Bash.

# tally PASSED FAILED SKIPPED: adds to the counts of the stage.
tally()
{
    echo "$1 $2 $3" >>"$logs/$stage.counts"
}

# single NAME COMMAND...: one check that passes with status 0 and is skipped with 77.
single()
{
    local name=$1 status
    shift
    echo "--- $name"
    "$@"
    status=$?
    case $status in
    0) tally 1 0 0 ;;
    77) tally 0 0 1 ;;
    *) echo "FAILED: $name"; tally 0 1 0 ;;
    esac
    return $status
}

# make_build NAME TARGET COMPILER OPTION...
make_build()
{
    local dir=$build/$1
    if [ ! -f "$dir/build.ninja" ]; then
        CC=$3 meson setup "$dir" "${@:4}" || return
    fi
    ninja -C "$dir" "$2"
}

# unit_tests BUILD: counts what meson says of each test.
unit_tests()
{
    local dir=$build/$1
    meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 3
    $python - "$dir/meson-logs/testlog.json" >>"$logs/$stage.counts" <<'END'
import json, sys
results = [json.loads(line)["result"] for line in open(sys.argv[1])]
skipped = results.count("SKIP")
passed = sum(r in ("OK", "EXPECTEDFAIL") for r in results)
print(passed, len(results) - passed - skipped, skipped)
END
}

# python_tests NAME ARGUMENT...: pytest in mount and process namespaces of its own: what it leaves running dies with it.
# A shell is the first process there: it reaps orphans, which pytest would leave as zombies.
python_tests()
{
    local name=$1 status
    shift
    rm -f "$logs/$name.xml"
    unshare --mount --propagation private --pid --fork --kill-child=KILL --mount-proc \
        bash -c '"$@"; exit $?' bash $python -m pytest -c tests/pytest.ini --rootdir tests --junit-xml "$logs/$name.xml" --durations 40 --basetemp "$temporary/pytest-$name" "$@"
    status=$?
    $python - "$logs/$name.xml" "$status" >>"$logs/$stage.counts" <<'END'
import sys, xml.etree.ElementTree as tree
try:
    suite = tree.parse(sys.argv[1]).getroot().find("testsuite").attrib
    total, bad, skipped = int(suite["tests"]), int(suite["failures"]) + int(suite["errors"]), int(suite["skipped"])
except (OSError, tree.ParseError):
    total, bad, skipped = 1, 1, 0
if not bad and sys.argv[2] not in ("0", "5"):
    total, bad = total + 1, 1
print(max(total - bad - skipped, 0), bad, skipped)
END
    return $status
}

stage_static()
{
    single "check-includes finds wrong includes" tools/check-includes --self-test
    single "include direction" tools/check-includes
    single "format" tools/format --check
    single "shell scripts" tools/lint --build "$build/lint" shell
}

stage_build()
{
    single "build, warnings are errors" make_build plain all gcc -Dwerror=true
}

stage_unit()
{
    make_build plain all gcc -Dwerror=true || return
    unit_tests plain
    if ls docs/man/casemate-*.1.scd >/dev/null 2>&1; then
        single "man pages and options" tools/check-docs "$build/plain"
    fi
}

stage_lint()
{
    single "clang-tidy" tools/lint --build "$build/lint" tidy
    single "cppcheck" tools/lint --build "$build/lint" cppcheck
    single "gcc -fanalyzer" tools/lint --build "$build/lint" analyzer
}

stage_sanitize()
{
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    make_build sanitize all gcc -Db_sanitize=address,undefined -Dc_args=-fno-sanitize-recover=all -Dbuildtype=debug -Doptimization=1 \
        -Dman=disabled || return
    unit_tests sanitize
    # Reports of what runs in the background would be seen by nobody on its standard error.
    mkdir -p "$temporary/reports"
    export ASAN_OPTIONS=detect_leaks=1:exitcode=99:log_path=$temporary/reports/asan CASEMATE_BUILD=$build/sanitize
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:log_path=$temporary/reports/ubsan
    python_tests sanitize "${SANITIZED[@]}" -m "not slow"
    single "no report of a sanitizer" no_reports "$temporary/reports"
}

# What the engine and the workers do with words, documents, archives and faults; the rest of e2e tests the kernel's work.
SANITIZED=(tests/e2e/test_{audit_log,cli,commit,cp,denials,events,export,filters,format,health,images,killed,load,logs,pause,practices,pull,restart,run}.py
    tests/e2e/test_{run_flags,save,seccomp_profiles,share,stats,system,update,volumes}.py
    tests/attack/test_image.py tests/attack/test_registry.py tests/attack/test_runtime.py tests/attack/test_tar.py)

no_reports()
{
    local report found=0
    for report in "$1"/*; do
        [ -f "$report" ] || continue
        found=1
        head -n 60 "$report"
    done
    return $found
}

stage_fuzz()
{
    local target name found=0
    export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    make_build fuzz fuzz clang -Dfuzz=true -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debug \
        -Doptimization=1 -Dman=disabled || return
    for target in "$build"/fuzz/tests/fuzz/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        found=1
        name=$(basename "$target")
        mkdir -p "$temporary/$name" "$build/fuzz/crashes"
        single "$name" "$target" -error_exitcode=1 -max_total_time="${CASEMATE_FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 \
            -verbosity=0 -artifact_prefix="$build/fuzz/crashes/$name-" "$temporary/$name" "tests/fuzz/corpus/${name#fuzz_}"
    done
    [ $found = 1 ] || { echo "no fuzz targets"; tally 0 0 1; }
}

stage_e2e()
{
    local which=("${INSTALLING[@]/#/--ignore=}")
    [ -z "${CASEMATE_CHECK_FAST:-}" ] || which=(-m "not slow")
    make_build plain all gcc -Dwerror=true || return
    export CASEMATE_BUILD=$build/plain
    python_tests e2e tests/e2e tests/oci tests/attack "${which[@]}"
}

# What installs packages and builds from nothing: minutes of the mirror and of dpkg, beside the other tests.
INSTALLING=(tests/e2e/test_fresh_debian.py tests/e2e/test_install.py)

stage_install()
{
    make_build plain all gcc -Dwerror=true || return
    export CASEMATE_BUILD=$build/plain
    python_tests install "${INSTALLING[@]}"
}

stage_vm()
{
    make_build plain all gcc -Dwerror=true || return
    boot_machine debian12 plain
    boot_machine debian13 plain
    boot_machine debian12-clients plain
}

# A machine that systemd boots, and another architecture: beside the others, since an emulated machine is one busy process.
stage_vm2()
{
    make_build plain all gcc -Dwerror=true || return
    boot_machine debian12-systemd plain
    boot_machine debian12-clients-systemd plain
    if single "build for arm64, warnings are errors" tools/cross-build arm64 "$build/arm64" -Dwerror=true -Dman=disabled; then
        boot_machine debian12-arm64 arm64/build
    fi
}

# boot_machine NAME BUILD: counts what the guest's scripts say.
boot_machine()
{
    tests/vm/run --machine "$1" --build "$build/$2" --log "$logs/vm-$1" | tee "$logs/vm-$1.out"
    case ${PIPESTATUS[0]} in
    77) tally 0 0 1 ;;
    *) sed -n 's/^vm: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$logs/vm-$1.out" >>"$logs/$stage.counts" ;;
    esac
}

# Debian's docker-registry, unpacked rather than installed: a test must not start a service on this machine.
fetch_registry()
{
    local work
    ! command -v docker-registry >/dev/null || return 0
    [ ! -x "$cache/registry/usr/bin/docker-registry" ] || return 0
    work=$(mktemp -d) || return
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download docker-registry) &&
        dpkg-deb -x "$work"/docker-registry_*.deb "$cache/registry"
    rm -rf "$work"
    [ -x "$cache/registry/usr/bin/docker-registry" ]
}

stage_packages()
{
    packages_install "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}" && fetch_registry
}
