# SPDX-License-Identifier: Apache-2.0
# An ordinary user on Debian's own kernel, with and without control groups that are delegated as a service manager does it:
# limits of the kernel, AppArmor, and what is said where user namespaces are switched off.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

command -v newuidmap >/dev/null || { skip "an ordinary user" "newuidmap is not there"; finish; }

# refuses PATTERN COMMAND...: fails with one line that shows the pattern.
refuses()
{
    said_pattern=$1
    shift
    said=$("$@" 2>&1) && { echo "it worked: $said"; return 1; }
    echo "$said"
    [ "$(echo "$said" | wc -l)" = 1 ] && echo "$said" | grep -qE -- "$said_pattern"
}

user=rl
uid=4242
first=300000
home=/home/$user
echo "$user:x:$uid:$uid::$home:/bin/bash" >>/etc/passwd
echo "$user:x:$uid:" >>/etc/group
mkdir -p $home && chown $uid:$uid $home

# mine COMMAND...: as the user, outside of what is delegated.
mine()
{
    env -i PATH="$PATH" HOME=$home LC_ALL=C.UTF-8 setpriv --reuid $uid --regid $uid --clear-groups "$@" </dev/null
}

check "without subordinate ids it is said what gives them" refuses "usermod --add-subuids" mine casemate ps
echo "$user:$first:65536" | tee -a /etc/subuid >>/etc/subgid
was=$(cat /proc/sys/user/max_user_namespaces)
echo 0 >/proc/sys/user/max_user_namespaces
check "without user namespaces it is said what allows them" refuses "user.max_user_namespaces" mine casemate ps
echo "$was" >/proc/sys/user/max_user_namespaces

check "the embedded image runs" says . mine casemate run --rm casemate/hello
check "load takes an archive" mine casemate load -i $archives/busybox.tar
check "an image of 39 layers runs" bash -c "$(declare -f mine); home=$home; uid=$uid
    mine casemate load -i $archives/layers.tar && [ \"\$(mine casemate run --rm layers cat /layers/last)\" = 37 ]"

# Nothing delegated.
check "a container starts without delegation" mine casemate run -d --name bare --memory 64m busybox sleep 1000
check "explain says so" says "memory +not limited in all, .*no delegation" mine casemate explain bare
pid=$(mine casemate inspect -f '{{.State.Pid}}' bare)
is "root in it is the first subordinate id" $first "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")"
is "its data is limited instead" 67108864 "$(sed -n 's/^Max data size *\([0-9]*\).*/\1/p' "/proc/$pid/limits")"
check "exec enters it" says '^0$' mine casemate exec bare id -u
check "rm -f removes it" mine casemate rm -f bare

# As systemd delegates: the group belongs to the user, who sits in a leaf of it.
group=/sys/fs/cgroup/user-$uid
mkdir -p $group/session
echo "+memory +pids +cpu" >$group/cgroup.subtree_control
chown $uid:$uid $group $group/session
for dir in $group $group/session; do
    chown $uid:$uid "$dir/cgroup.procs" "$dir/cgroup.threads" "$dir/cgroup.subtree_control"
done

# inside COMMAND...: as the user, in the leaf.
inside()
{
    bash -c 'echo 0 >'$group'/session/cgroup.procs && exec "$@"' bash \
        env -i PATH="$PATH" HOME=$home LC_ALL=C.UTF-8 setpriv --reuid $uid --regid $uid --clear-groups "$@" </dev/null
}

check "a container starts with delegation" inside casemate run -d --name web --memory 64m --cpus 0.5 --pids-limit 33 busybox sleep 1000
pid=$(inside casemate inspect -f '{{.State.Pid}}' web)
path=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
check "its group is below what is delegated ($path)" test "${path#"$group"/casemate}" != "$path"
is "memory.max" 67108864 "$(cat "$path/memory.max")"
is "memory.swap.max" 0 "$(cat "$path/memory.swap.max")"
is "pids.max" 33 "$(cat "$path/pids.max")"
is "cpu.max" "50000 100000" "$(cat "$path/cpu.max")"
check "explain shows the limit" says "holds +memory +64 MiB" inside casemate explain web
check "it sees its own limit" says '^67108864$' inside casemate exec web cat /sys/fs/cgroup/memory.max
inside casemate exec -d web sleep 999
other=$(pgrep -f '^sleep 999$' | head -n 1)
is "what exec starts is in the same group" "$path" "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$other/cgroup")"
check "from elsewhere exec is refused" refuses "can be put into the container's control group" mine casemate exec web true
check "from elsewhere it can be removed" mine casemate rm -f web
inside casemate run --rm --memory 32m busybox sh -c 'tail /dev/zero' >/run/hog 2>&1
is "what takes more memory than its limit is killed" 137 $?
is "no group of a container stays" "" "$(find $group -mindepth 2 -type d -path '*casemate*' ! -name shims | head -n 3)"

# Two users, and what is left.
check "root does not see it" bash -c '! casemate ps -aq | grep -q .'
check "the store is closed to others" bash -c "[ \$(stat -c %a $home/.local/share/casemate) = 700 ]"
is "nothing of the user runs" "" "$(pgrep -u $uid,$first | head -n 3)"
finish
