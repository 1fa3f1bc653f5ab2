# SPDX-License-Identifier: Apache-2.0
"""Command lines that people type every day, as they type them to Docker: each does what Docker does, or is refused in one line that says what
to do instead. The lines of a table run in its order, in one data root; a table of its own is a tale of its own."""
import re
import shlex
import shutil

import pytest

from lib import casemate as casemates

# What a line gives: (command, status, pattern of the output, pattern of the errors). $D is a directory with the files f ("hi") and env.
ID = r"[0-9a-f]{64}\n"

RUN = [
    ("run --rm busybox echo hello", 0, "hello\n", ""),
    ("run --rm -i busybox cat", 0, "typed\n", ""),
    ("run --rm -v $D:/src -w /src busybox ls", 0, "env\nf\n", ""),
    ("run --rm -v $D:/app:ro busybox cat /app/f", 0, "hi\n", ""),
    ("run --rm -v $D:/app:z busybox cat /app/f", 0, "hi\n", ""),
    ("run --rm -v data:/data busybox sh -c 'echo x > /data/f'", 0, "", ""),
    ("run --rm --mount type=volume,src=data,dst=/data busybox cat /data/f", 0, "x\n", ""),
    ("run --rm --mount type=bind,source=$D,target=/x,readonly busybox cat /x/f", 0, "hi\n", ""),
    ("run --rm --tmpfs /tmp busybox df /tmp", 0, r".*none .*/tmp\n", ""),
    ("run --rm -e A=1 -e UNSET busybox env", 0, r"(?!.*UNSET).*\nA=1\n.*", ""),
    ("run --rm --env-file $D/env busybox env", 0, r"(?!.*#).*\nK=v\n.*", ""),
    ("run --rm -u 1000:1000 busybox id", 0, r"uid=1000\(app\) gid=1000\(app\).*", ""),
    ("run --rm --user app busybox id -un", 0, "app\n", ""),
    ("run --rm -m 256m --memory-swap 256m --cpus 0.5 --pids-limit 50 busybox true", 0, "", ""),
    ("run --rm --read-only busybox touch /x", 1, "", "touch: /x: Read-only file system\n"),
    ("run --rm --cap-drop ALL --security-opt no-new-privileges:true busybox true", 0, "", ""),
    ("run --rm --security-opt label=disable busybox true", 0, "", ""),
    ("run --rm --entrypoint sh busybox -c 'echo x'", 0, "x\n", ""),
    ("run --rm --entrypoint '' busybox echo y", 0, "y\n", ""),
    ("run --rm -h web busybox hostname", 0, "web\n", ""),
    ("run --rm --add-host db:10.0.0.1 busybox cat /etc/hosts", 0, ".*10.0.0.1\tdb\n", ""),
    ("run --rm --dns 8.8.8.8 busybox cat /etc/resolv.conf", 0, "nameserver 8.8.8.8\n", ""),
    ("run --rm --init busybox ps", 0, r".* 1 root .*init -- ps\n.*", ""),
    ("run --rm --shm-size 128m busybox df -h /dev/shm", 0, r".* 128\.0M .*", ""),
    ("run --rm --ulimit nofile=2048:4096 busybox sh -c 'ulimit -n'", 0, "2048\n", ""),
    ("run --rm --sysctl net.core.somaxconn=1024 busybox cat /proc/sys/net/core/somaxconn", 0, "1024\n", ""),
    ("run --rm --platform linux/amd64 --network none busybox true", 0, "", ""),
    ("run --rm --group-add 50 busybox id", 0, r".*50\(staff\)\n", ""),
    ("run --rm --log-driver none busybox echo x", 0, "x\n", ""),
    ("run --rm --log-opt max-size=10m --log-opt max-file=3 busybox true", 0, "", ""),
    ("run --rm -a stdout busybox echo x", 0, "x\n", ""),
    ("run -d --rm busybox true", 0, ID, ""),
    ("run --rm -itd busybox sh", 0, ID, ""),
    ("run --rm busybox nosuchcommand", 127, "", r'casemate: exec: "nosuchcommand": executable file not found in \$PATH\n'),
    ("run --rm busybox /etc", 126, "", r'casemate: exec: "/etc": Permission denied\n'),
    ("run --rm busybox sh -c 'exit 5'", 5, "", ""),
    ("run --rm --pull=never nosuch", 125, "", ".*No such image: nosuch\n"),
    ("run", 1, "", r".*requires at least 1 argument.*'casemate run --help'\n"),
]

# What Casemate does not do as Docker does it. `says` names the reason and the way.
REFUSED = [
    ("run --rm --privileged busybox true", r"--privileged: refused: .*--cap-add @switch-user \(practice 6\)"),
    ("exec --privileged web true", r"--privileged: refused: .*\(practice 6\)"),
    ("run --rm --cap-add SYS_ADMIN busybox true", r"'allow-capability = CAP_SYS_ADMIN' under .*\(practice 6\)"),
    ("run --rm --network host busybox true", r"'allow-host-namespace = network' under .*\(practice 5\)"),
    ("run --rm --net host busybox true", r"'allow-host-namespace = network' under .*\(practice 5\)"),
    ("run --rm --pid=host busybox true", r"--pid host: refused: .*processes of its own.*\(practice 5\)"),
    ("run --rm --ipc=host busybox true", r"--ipc host: refused: .*\(practice 5\)"),
    ("run --rm --uts=host busybox true", r"--uts host: refused: .*\(practice 5\)"),
    ("run --rm --userns=host busybox true", r"--userns host: refused: .*\(practice 5\)"),
    ("run --rm -v /var/run/docker.sock:/var/run/docker.sock busybox true", r"allow-host-path = /.*docker\.sock' under .*\(practice 5\)"),
    ("run --rm -v /:/host busybox true", r"bind source / is refused: .*\(practice 5\)"),
    ("run --rm --security-opt seccomp=unconfined busybox true", r"is refused: .*--cap-add .*\(practice 7\)"),
    ("run --rm --security-opt apparmor=unconfined busybox true", r"'allow-apparmor = unconfined' under .*\(practice 7\)"),
    ("run --rm --memory-swap -1 busybox true", r"'allow-unlimited = swap' under .*\(practice 4\)"),
    ("run --rm --pids-limit -1 busybox true", r"'allow-unlimited = pids' under .*\(practice 4\)"),
    ("run --rm --oom-kill-disable busybox true", r"--oom-kill-disable: refused: .*raise --memory \(practice 4\)"),
    ("run --rm --gpus all busybox true", r"--device"),
    ("run -d -p 8080:80 busybox true", r"no network but loopback.*--expose"),
    ("run --rm -P busybox true", r"no network but loopback"),
    ("run --rm --network bridge busybox true", r"--network none"),
    ("run --rm --link web:db busybox true", r"--network none"),
    ("run --rm --add-host host.docker.internal:host-gateway busybox true", r"with --network none nothing leads to the host"),
    ("run --rm --name 'bad name' busybox true", r"only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed"),
    ("run --rm --nosuchflag busybox", r"unknown flag: --nosuchflag; see 'casemate run --help'"),
    ("ps --fromat x", r"did you mean --format\?"),
    ("runn busybox", r"did you mean run\?"),
    ("build -t x .", r"casemate load"),
    ("buildx ls", r"casemate load"),
    ("compose up -d", r"casemate run"),
    ("network ls", r"no network but loopback"),
    ("network create n", r"no network but loopback"),
    ("push busybox", r"casemate save"),
    ("search nginx", r"pull by name"),
    ("swarm init", r"there is no cluster"),
    ("service ls", r"there is no cluster"),
    ("secret ls", r"--mount type=bind"),
    ("scan busybox", r"not scanned"),
    ("context ls", r"without an API"),
    ("-H tcp://192.0.2.1 ps", r"there is no API"),
    ("volume create --opt type=nfs v4", r"size="),
    ("volume create -d nfs v5", r"local is"),
]

# Until its command has said what it does with signals.
TRAPPED = "exec web sh -c 'until grep -q \"SigCgt.*[1-9]\" /proc/1/status; do sleep 0.05; done'"

LIFE = [
    ("run -d --name web -v data:/data -e A=1 --label team=red busybox sh -c 'echo one; echo two >&2; trap \"exit 0\" TERM; trap \"exit 9\" USR1; "
     "while :; do sleep 0.1; done'", 0, ID, ""),
    (TRAPPED, 0, "", ""),
    ("run --name old busybox sh -c 'echo gone; exit 3'", 3, "gone\n", ""),
    ("ps", 0, r"CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n\w{12} +busybox .*web\n", ""),
    ("ps -q", 0, r"\w{12}\n", ""),
    ("ps -aq", 0, r"(\w{12}\n){2}", ""),
    ("ps -a --filter status=exited --format '{{.Names}}: {{.Status}}'", 0, r"old: Exited \(3\) .*ago\n", ""),
    ("ps --format 'table {{.ID}}\\t{{.Names}}\\t{{.Ports}}'", 0, r"CONTAINER ID +NAMES +PORTS\n\w{12} +web +\n", ""),
    ("ps -aqf status=exited --no-trunc", 0, ID, ""),
    ("ps -l --format '{{.Names}}'", 0, "old\n", ""),
    ("ps -n 1 --format '{{.Names}}'", 0, "old\n", ""),
    ("ps -f label=team=red -f ancestor=busybox --format '{{.Names}} {{.Labels}}'", 0, "web team=red\n", ""),
    ("container ls -a --format json", 0, r'({"ID":.*}\n){2}', ""),
    ("logs web", 0, "one\n", "two\n"),
    ("logs -f old", 0, "gone\n", ""),
    ("logs --tail 1 old", 0, "gone\n", ""),
    ("logs -n 5 --since 10m -t old", 0, r"20\d\d-.*Z gone\n", ""),
    ("inspect web -f '{{.State.Status}} {{.State.Running}} {{.RestartCount}}'", 0, "running true 0\n", ""),
    ("inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' web", 0, "none\n", ""),
    ("inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web", 0, "\n", ""),
    ("inspect --format='{{json .Config.Env}}' web", 0, r'\["PATH=.*","A=1"\]\n', ""),
    ("inspect -f '{{range .Mounts}}{{.Name}}:{{.Destination}}{{end}}' web", 0, "data:/data\n", ""),
    ("inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.Config.Image}} {{.Name}}' web", 0, "no busybox /web\n", ""),
    ("inspect --type image busybox -f '{{.Os}}/{{.Architecture}}'", 0, r"linux/\w+\n", ""),
    ("inspect nosuch", 1, r"\[\]\n", "casemate: No such object: nosuch\n"),
    ("exec web ls /", 0, "bin\n.*", ""),
    ("exec -u 1000 -w /tmp -e X=1 web sh -c 'id -u; pwd; echo $X'", 0, "1000\n/tmp\n1\n", ""),
    ("exec -i web cat", 0, "typed\n", ""),
    ("exec -d web touch /tmp/x", 0, "", ""),
    ("exec web sh -c 'exit 5'", 5, "", ""),
    ("exec web nosuch", 127, "", ".*executable file not found.*\n"),
    ("exec old ls", 1, "", r"casemate: Container \w+ is not running\n"),
    ("cp $D/f web:/tmp/", 0, "", ""),
    ("exec web cat /tmp/f", 0, "hi\n", ""),
    ("cp web:/etc/passwd $D/", 0, "", ""),
    ("cp web:/etc/nosuch $D/", 1, "", "casemate: Could not find the file /etc/nosuch in container web\n"),
    ("top web", 0, r"UID +PID .*\n.*sh -c.*", ""),
    ("top web -o pid,comm", 0, r"PID +COMMAND\n.*", ""),
    ("stats --no-stream --format '{{.Name}} {{.MemUsage}}' web", 0, r"web [\d.]+\w+ / [\d.]+\w+\n", ""),
    ("port web", 0, "", ""),
    ("port web 80", 1, "", "casemate: No public port '80/tcp' published for web\n"),
    ("diff web", 0, r".*A /tmp/f\n.*", ""),
    ("rename old older", 0, "", ""),
    ("start -a older", 3, "gone\n", ""),
    ("wait older", 0, "3\n", ""),
    ("pause web", 0, "web\n", ""),
    ("unpause web", 0, "web\n", ""),
    ("update --memory 200m --cpus 0.5 --restart no web", 0, "web\n", ""),
    ("restart -t 1 web", 0, "web\n", ""),
    (TRAPPED, 0, "", ""),
    ("kill -s USR1 web", 0, "web\n", ""),
    ("wait web", 0, "9\n", ""),
    ("start web", 0, "web\n", ""),
    ("stop -t 2 web", 0, "web\n", ""),
    ("commit -m msg -a me -c 'CMD [\"ls\"]' older my/tool:1", 0, r"sha256:" + ID, ""),
    ("export older -o $D/e.tar", 0, "", ""),
    ("rm older", 0, "older\n", ""),
    ("rm nosuch", 1, "", "casemate: No such container: nosuch\n"),
    ("container prune -f", 0, r"Deleted Containers:\n" + ID + "\nTotal reclaimed space: .*\n", ""),
    ("import $D/e.tar flat:1", 0, r"sha256:" + ID, ""),
    ("images --format '{{.Repository}}:{{.Tag}}' --filter reference=my/*", 0, "my/tool:1\n", ""),
    ("images -q busybox", 0, r"\w{12}\n", ""),
    ("image ls", 0, r"REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n.*", ""),
    ("tag busybox:latest my/box:v1", 0, "", ""),
    ("history --no-trunc --format '{{.CreatedBy}}' busybox", 0, "test\n", ""),
    ("save -o $D/b.tar busybox", 0, "", ""),
    ("load -i $D/b.tar", 0, "Loaded image: busybox:latest\n", ""),
    ("rmi my/tool:1 flat:1", 0, r"Untagged: my/tool:1\n.*Untagged: flat:1\n.*", ""),
    ("rmi nosuch", 1, "", "casemate: No such image: nosuch\n"),
    ("image prune -f", 0, "Total reclaimed space: 0B\n", ""),
    ("volume create v", 0, "v\n", ""),
    ("volume ls -q", 0, "data\nv\n", ""),
    ("volume ls -qf dangling=true -f name=v", 0, "v\n", ""),
    ("volume inspect -f '{{.Mountpoint}}' v", 0, r"/.*/v/data\n", ""),
    ("volume rm v", 0, "v\n", ""),
    ("volume prune -af", 0, r"Deleted Volumes:\ndata\n.*", ""),
    ("events --since 10m --until 0s --filter type=container --filter event=die --format '{{.Action}}'", 0, r"(die\n)+", ""),
    ("system df", 0, r"TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages .*", ""),
    ("system prune -af --volumes", 0, r".*Total reclaimed space: .*\n", ""),
    ("info --format '{{.ServerVersion}} {{.NCPU}} {{.CgroupDriver}} {{.Swarm.LocalNodeState}}'", 0, r"[\d.]+ \d+ cgroupfs inactive\n", ""),
    ("version --format '{{.Client.Version}} {{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}'", 0, r"([\d.]+) \1 linux/\w+\n", ""),
    ("--version", 0, r"Casemate version [\d.]+\n", ""),
    ("logout", 0, r"Not logged in to .*\n", ""),
]


@pytest.fixture(scope="module")
def shared(installation):
    made = casemates.Casemate(installation, casemates.make_base())
    files = casemates.make_base("casemate-daily-")
    try:
        made.files = files
        for name, text in (("f", "hi\n"), ("env", "# comment\nK=v\n")):
            with open("%s/%s" % (files, name), "w", encoding="ascii") as f:
                f.write(text)
        yield made
    finally:
        made.destroy()
        shutil.rmtree(files, ignore_errors=True)


@pytest.fixture
def place(shared, busybox_made):
    """Without containers, and with its image: the last lines of a table may prune it."""
    shared.remove_containers()
    shared.load(busybox_made, "busybox:latest")
    return shared


def wrong(place, line, status, out, err):
    """What is not as it should be, or None."""
    words = shlex.split(line.replace("$D", place.files))
    result = place.run(*words, input="typed\n" if "-i" in words else None)
    if result.status == status and re.fullmatch(out, result.out, re.S) and re.fullmatch(err, result.err, re.S):
        return None
    return "casemate %s\n    %r" % (line, tuple(result))


@pytest.mark.parametrize("table", [RUN, LIFE], ids=["run", "life"])
def test_what_people_type(place, table):
    failed = [said for said in (wrong(place, *row) for row in table) if said]
    assert not failed, "\n".join(failed)


def test_what_is_refused_says_what_to_do(place):
    """One line each; nothing of it stays."""
    place.ok("run", "-d", "--name", "web", "busybox", "sleep", "1000")
    failed = []
    for line, says in REFUSED:
        result = place.run(*shlex.split(line))
        if result.status in (0, 126, 127) or len(result.err.splitlines()) != 1 or not re.search(says, result.err):
            failed.append("casemate %s\n    %r" % (line, tuple(result)))
    assert not failed, "\n".join(failed)
    assert place.ok("ps", "-a", "--format", "{{.Names}}") == "web\n"
    place.ok("rm", "-f", "web")


@pytest.mark.parametrize("line, typed", [
    ("run --rm -it busybox sh", "test -t 0 && test -t 1 && echo o''k; exit 4\n"),
    ("run -it --rm --name tty busybox sh -c 'test -t 0 && test -t 1 && echo ok; exit 4'", None),
])
def test_on_a_terminal(place, line, typed):
    with place.pty(*shlex.split(line)) as terminal:
        if typed:
            terminal.expect("# ")
            terminal.send(typed)
        terminal.expect("\nok|^ok")
        assert terminal.wait() == 4


def test_host_gateway_in_the_hosts_network(place):
    place.policy('[practice "isolation"]\nallow-host-namespace = network\n')
    try:
        assert "127.0.0.1\tup\n" in place.ok("run", "--rm", "--add-host", "up:host-gateway", "--network", "host", "busybox", "cat", "/etc/hosts")
    finally:
        place.policy("")
