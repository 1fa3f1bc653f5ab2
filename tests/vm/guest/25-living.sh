# SPDX-License-Identifier: Apache-2.0
# What lives as long as containers do, on this kernel: what is refused is noticed (seccomp's user notification), logs and their chain, restarts,
# health, copies, volumes, commit.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

casemate load -i $archives/busybox.tar >/dev/null 2>&1

# Row 62.
casemate run --name denied busybox sh -c 'chown 5:5 /tmp; chroot / true; mount -t tmpfs none /mnt; mount -t tmpfs none /srv; exit 3' >/dev/null 2>/run/denied
is "a container that is refused something ends with its own status" 3 $?
check "a refused chown is told with its flag" grep -q 'practice 6: chown was refused (process chown, 1 time); --cap-add CHOWN would allow it' /run/denied
check "a refused chroot" grep -q 'practice 7: chroot was refused (process chroot, 1 time); --cap-add SYS_CHROOT' /run/denied
check "a refused mount is counted" grep -q 'practice 7: mount was refused (process mount, 2 times)' /run/denied
is "inspect has them" "chown chroot mount" "$(casemate inspect -f '{{range .State.Denials}}{{.Call}} {{end}}' denied | xargs)"
check "ps shows it" says 'Exited \(3\).*refused' casemate ps -a --format '{{.Status}}'
check "the audit log has them" says 'chroot by chroot, 1 time' casemate log show
check "a switch of the user names the grant" denies 'cap-add @switch-user or --user N' casemate run --rm busybox su app -s /bin/sh -c id
is "which is enough" 1000 "$(casemate run --rm --cap-add @switch-user busybox su app -s /bin/sh -c 'id -u')"
check "a container that wants more processes than it may have" denies 'pids-limit N sets another' \
    casemate run --rm --pids-limit 4 busybox sh -c 'for i in 1 2 3 4 5 6; do sleep 2 & done; wait; exit 2'
casemate rm denied >/dev/null

# Logs.
casemate run --name talker --log-opt max-size=64k --log-opt max-file=2 busybox sh -c 'seq 1 20000; echo last' >/dev/null
is "the log ends with the last line" last "$(casemate logs --tail 1 talker)"
dir=$(find /var/lib/casemate/containers -type d -path '*shim/log')
check "it is no larger than it may be" test "$(du -sk "$dir" | cut -f1)" -le 140
check "its chain holds" casemate log verify talker
casemate rm talker >/dev/null
check "the logs of a removed container can be read" says '^last$' casemate logs --removed --tail 1 talker
casemate run --rm --log-driver none busybox echo quiet >/run/quiet
is "without a log there is output still" quiet "$(cat /run/quiet)"

# Restarts and health.
casemate run -d --name again --restart on-failure:2 busybox sh -c 'exit 4' >/dev/null
check "a container that fails is restarted, and given up" until_true "[ \"\$(casemate inspect -f '{{.RestartCount}} {{.State.Status}}' again)\" = '2 exited' ]"
casemate run -d --name well --health-cmd 'test -e /well' --health-interval 1s --health-retries 1 busybox sleep 1000 >/dev/null
check "a failed check is shown" until_true "[ \"\$(casemate inspect -f '{{.State.Health.Status}}' well)\" = unhealthy ]"
casemate exec well touch /well
check "and one that passes" until_true "[ \"\$(casemate inspect -f '{{.State.Health.Status}}' well)\" = healthy ]"

# Files.
echo from the host >/run/file
check "cp into a container" casemate cp /run/file well:/root/file
is "which has it" "from the host" "$(casemate exec well cat /root/file)"
check "cp out of it" casemate cp well:/root/file /run/back
check "is the same" cmp /run/file /run/back
check "diff" says '^A /root/file$' casemate diff well
check "commit" casemate commit well made:1
is "the image has it" "from the host" "$(casemate run --rm made:1 cat /root/file)"
check "save" casemate save -o /run/made.tar made:1
casemate rmi made:1 >/dev/null
check "load" casemate load -i /run/made.tar
is "and it is what it was" "from the host" "$(casemate run --rm made:1 cat /root/file)"
check "rename" casemate rename well better
check "restart" casemate restart -t 0 better
is "the file is there still" "from the host" "$(casemate exec better cat /root/file)"
casemate rm -f better again >/dev/null
casemate rmi made:1 >/dev/null
is "nothing is left" "" "$(casemate ps -aq)"
check "the tender ends" until_true "! pgrep -f 'casemate tend' >/dev/null"
finish
