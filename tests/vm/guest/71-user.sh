# SPDX-License-Identifier: Apache-2.0
# Row 86 under a real user manager: what systemd delegates by itself, all that needs control groups as an ordinary user, the user's own units.
# Asks for the reboot.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

useradd --create-home --shell /bin/bash rl
check "useradd gives subordinate ids" grep -q '^rl:' /etc/subuid
uid=$(id -u rl)
mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/etc/systemd/system/user@.service.d/delegate.conf
systemctl daemon-reload
check "linger starts the user's manager" loginctl enable-linger rl
manager=/sys/fs/cgroup/user.slice/user-$uid.slice/user@$uid.service
check "which runs" until_true "systemctl is-active --quiet user@$uid.service && [ -S /run/user/$uid/bus ]"

# mine COMMAND...: as the user, outside of the manager's control group, as a session has it.
mine()
{
    env -i PATH="$PATH" HOME=/home/rl LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/run/user/$uid DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus \
        setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@" </dev/null
}

# inside COMMAND...: in a scope of the user's manager, as casemate-rootless(7) says.
inside()
{
    mine systemd-run --user --scope --quiet "$@"
}

check "load" mine casemate load -i $archives/busybox.tar
check "a container with limits" inside casemate run -d --name web --memory 64m --cpus 0.5 --pids-limit 33 --restart always busybox sleep 100000
pid=$(mine casemate inspect -f '{{.State.Pid}}' web)
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
check "its group ($group) is in what systemd delegates" test "${group#"$manager"/}" != "$group"
is "memory.max" 67108864 "$(cat "$group/memory.max")"
is "cpu.max" "50000 100000" "$(cat "$group/cpu.max")"
is "pids.max" 33 "$(cat "$group/pids.max")"
check "explain says that they hold" says "holds +memory +64 MiB" inside casemate explain web
check "and not that something is not limited" bash -c "! grep 'no delegation' <<<\"\$1\"" bash "$(inside casemate explain web)"
mine systemctl --user daemon-reload
mine systemctl --user start casemate-tend.service
is "the user's systemd leaves them alone" "67108864 50000 100000 33" "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/pids.max")"

# What a day has, as far as it needs control groups.
check "exec" says '^0$' inside casemate exec web id -u
check "update" inside casemate update --memory 100m --pids-limit 50 web
is "sets the new limits" "104857600 50" "$(cat "$group/memory.max") $(cat "$group/pids.max")"
check "pause" inside casemate pause web
is "freezes it" 1 "$(cat "$group/cgroup.freeze")"
check "unpause" inside casemate unpause web
is "and goes on" 0 "$(cat "$group/cgroup.freeze")"
check "stats" says '^web [0-9.]+[KM]iB / 100MiB 1$' inside casemate stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' web
check "top" says 'sleep 100000' inside casemate top web
inside casemate run --rm --memory 32m busybox sh -c 'tail /dev/zero' >/run/hog 2>&1
is "what takes more memory than its limit is killed" 137 $?
check "and the flag is named" grep -q -- --memory /run/hog
kill -KILL "$pid"
check "a container that was killed is restarted" until_true "[ \$(mine casemate inspect -f '{{.State.Pid}}' web) != $pid ] && [ \$(mine casemate inspect -f '{{.State.Status}}' web) = running ]"
pid=$(mine casemate inspect -f '{{.State.Pid}}' web)
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "with its limits" "104857600 50" "$(cat "$group/memory.max") $(cat "$group/pids.max")"
check "a session without delegation says so" says "no delegation" bash -c "$(declare -f mine); uid=$uid; mine casemate run -d --name bare busybox sleep 1000 >/dev/null; mine casemate explain bare"
mine casemate rm -f bare >/dev/null 2>&1

# The user's units.
check "the user enables them" mine systemctl --user --quiet enable --now casemate-boot.service casemate-tend.service
is "casemate-boot" active "$(mine systemctl --user is-active casemate-boot.service)"
is "casemate-tend" active "$(mine systemctl --user is-active casemate-tend.service)"
inside casemate run -d --name polite --stop-timeout 60 busybox sh -c 'trap "sleep 3; echo end of work; exit 0" TERM; echo begun; sleep 100000 & wait; wait' >/dev/null
inside casemate run -d --name once busybox sleep 100000 >/dev/null
check "root does not see them" bash -c "! casemate ps --format '{{.Names}}' | grep -qx web"
cat /proc/sys/kernel/random/boot_id >/opt/vm/boot
touch /opt/vm/reboot
finish
