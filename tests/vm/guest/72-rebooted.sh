# SPDX-License-Identifier: Apache-2.0
# After the reboot that 71-user.sh has asked for: how containers went down, and what came back by itself.
. /opt/vm/guest/lib.sh

check "it was a reboot" test "$(cat /opt/vm/boot)" != "$(cat /proc/sys/kernel/random/boot_id)"
check "the store image is mounted" grep -q ' /var/lib/casemate .* - ext4 /dev/loop' /proc/self/mountinfo
is "casemate-boot" active "$(systemctl is-active casemate-boot.service)"
is "it ended well before" "" "$(journalctl --no-pager -b -1 -u casemate-boot.service -p warning -o cat)"
check "casemate-tend" until_true test "\$(systemctl is-active casemate-tend.service)" = active
state()
{
    casemate inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"
}

is "always runs again" "running 0" "$(state run-always)"
is "unless-stopped runs again" "running 0" "$(state run-unless-stopped)"
is "on-failure runs again, the machine had ended it" "running 0" "$(state run-on-failure)"
is "one without a policy does not" "exited 137" "$(state run-no)"
is "always, stopped by the user, runs again, as with Docker" "running 0" "$(state stopped-always)"
is "unless-stopped, stopped by the user, does not" "exited 137" "$(state stopped-unless-stopped)"
is "on-failure, stopped by the user, does not" "exited 137" "$(state stopped-on-failure)"
is "nor does one without a policy" "exited 137" "$(state stopped-no)"
is "one that takes its time to stop had it" "exited 0" "$(state polite)"
is "and did its work to the end" "begun end of work" "$(casemate logs polite | xargs)"
is "the one that a unit had started as well" "begun end of work" "$(casemate logs of-unit | xargs)"
is "one that does not stop was killed when its time was over" "exited 137" "$(state deaf)"
is "none was lost" "" "$(casemate ps -a --format '{{.Names}} {{.Status}}' | grep -i lost)"
group=$(group_of held)
is "limits are what they were" "67108864 50000 100000 33" "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/pids.max")"
check "exec" casemate exec held true
check "logs verify" casemate log verify
check "the disk is limited still" denies 'Disk quota exceeded|No space left on device' \
    casemate run --rm --storage-opt size=16m busybox dd if=/dev/zero of=/fill bs=1M count=32

# The user's.
uid=$(id -u rl)
mine()
{
    env -i PATH="$PATH" HOME=/home/rl LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/run/user/$uid DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus \
        setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@" </dev/null
}

user_state()
{
    mine casemate inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"
}
check "the user's container is started at boot, with nobody logged in" until_true "[ \"\$(user_state web)\" = 'running 0' ]"
pid=$(mine casemate inspect -f '{{.State.Pid}}' web)
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "with its limits" "104857600 50" "$(cat "$group/memory.max") $(cat "$group/pids.max")"
check "in what is delegated to the user ($group)" grep -q "/user@$uid.service/casemate" <<<"$group"
is "the one without a policy is not" "exited 137" "$(user_state once)"
is "and the polite one was given its time" "begun end of work" "$(mine casemate logs polite | xargs)"

# Nothing stays.
mine systemctl --user stop casemate-tend.service casemate-boot.service
mine casemate rm -f web once polite >/dev/null
casemate ps -aq | xargs casemate rm -f >/dev/null
systemctl stop casemate-tend.service casemate-boot.service
check "nothing runs" until_true "! pgrep -f 'casemate-shim|casemate tend' >/dev/null"
is "no control group of a container stays" "" "$(find /sys/fs/cgroup -type d -regex '.*/casemate[^/]*/[0-9a-f]+' | head -n 3)"
check "the store image can be unmounted" umount /var/lib/casemate
finish
