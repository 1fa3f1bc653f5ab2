# SPDX-License-Identifier: Apache-2.0
"""Health checks: of the image and of the command line, what a check may do, and where it is shown."""
import json
import os
import signal
import time

import pytest

from lib import host, images, wait

FAST = ("--health-interval", "100ms")


def inspect(casemate, name):
    return json.loads(casemate.ok("inspect", name))[0]


def health(casemate, name):
    return inspect(casemate, name)["State"]["Health"]


def until_health(casemate, name, status, limit=20):
    wait.until(lambda: health(casemate, name)["Status"] == status, limit, what="%s to be %s" % (name, status))


def results(casemate, name, least=1):
    return wait.until(lambda: (log := health(casemate, name)["Log"]) and len(log) >= least and log,
                      what="%d results" % least)


def start(casemate, image, *options, name="web", command=("sleep", "1000")):
    casemate.ok("run", "-d", "--name", name, *options, image, *command)


def test_starting_healthy_unhealthy_healthy(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "test -e /tmp/up && echo fine", "--health-retries", "2")
    assert health(casemate, "web")["Status"] in ("starting", "unhealthy")
    until_health(casemate, "web", "unhealthy")
    assert "(unhealthy)" in casemate.ok("ps")
    assert health(casemate, "web")["FailingStreak"] >= 2
    casemate.ok("exec", "web", "touch", "/tmp/up")
    until_health(casemate, "web", "healthy")
    assert "(healthy)" in casemate.ok("ps")
    now = health(casemate, "web")
    assert now["FailingStreak"] == 0
    assert (now["Log"][-1]["ExitCode"], now["Log"][-1]["Output"]) == (0, "fine\n")
    casemate.ok("exec", "web", "rm", "/tmp/up")
    until_health(casemate, "web", "unhealthy")


def test_starting_is_shown(casemate, busybox):
    start(casemate, busybox, "--health-cmd", "true")
    assert "(health: starting)" in casemate.ok("ps")
    assert health(casemate, "web") == {"Status": "starting", "FailingStreak": 0, "Log": []}
    assert inspect(casemate, "web")["Config"]["Healthcheck"] == {"Test": ["CMD-SHELL", "true"]}


def test_without_a_check_there_is_no_health(casemate, busybox):
    start(casemate, busybox)
    assert "Health" not in inspect(casemate, "web")["State"]
    assert "health" not in casemate.ok("ps")


def image_with(casemate, reference, check, **config):
    casemate.load(images.busybox_image(config={"Healthcheck": check, **config}, media=images.DOCKER), reference)
    return reference


def test_of_the_image(casemate):
    image = image_with(casemate, "checked:latest", {"Test": ["CMD", "echo", "a b"], "Interval": 100000000, "Retries": 7})
    start(casemate, image)
    until_health(casemate, "web", "healthy")
    assert results(casemate, "web")[-1]["Output"] == "a b\n"
    assert inspect(casemate, "web")["Config"]["Healthcheck"] == {"Test": ["CMD", "echo", "a b"], "Interval": 100000000,
                                                                 "Retries": 7}


def test_the_shell_of_the_image(casemate):
    image = image_with(casemate, "shell:latest", {"Test": ["CMD-SHELL", "x"], "Interval": 100000000},
                       Shell=["/bin/echo", "shell:"])
    start(casemate, image)
    assert results(casemate, "web")[-1]["Output"] == "shell: x\n"


def test_command_line_over_image(casemate):
    image = image_with(casemate, "checked:latest", {"Test": ["CMD", "false"], "Interval": 100000000, "Retries": 7})
    start(casemate, image, "--health-cmd", "true")
    until_health(casemate, "web", "healthy")
    assert inspect(casemate, "web")["Config"]["Healthcheck"]["Interval"] == 100000000, "the image's time stays"
    start(casemate, image, "--no-healthcheck", name="other")
    assert "Health" not in inspect(casemate, "other")["State"]


def test_output_is_kept_within_bounds_and_as_text(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", r"printf '\033[31m\377\000end'; head -c 100000 /dev/zero | tr '\0' x >&2")
    output = results(casemate, "web")[-1]["Output"]
    assert "\x1b[31m\ufffd\ufffdend" in output, "bytes that are no text are replaced, the rest is what it is"
    assert output.endswith("...") and len(output.replace("\ufffd", "x")) == 4096 + 3
    raw = casemate.ok("inspect", "web")
    assert "\x1b" not in raw and "\\u001b" in raw, "and does nothing to a terminal"


def test_five_results_are_kept(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "date +%s%N")
    first = results(casemate, "web", 5)[0]["Start"]
    wait.until(lambda: health(casemate, "web")["Log"][0]["Start"] > first, what="the oldest to go")
    assert len(health(casemate, "web")["Log"]) == 5


def test_too_late_is_killed_with_what_it_has_started(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-timeout", "500ms", "--health-retries", "1", "--health-cmd",
          "sleep 7777 & (sleep 7778 &) ; setsid sh -c 'sleep 7779; true' & wait; sleep 7776")
    until_health(casemate, "web", "unhealthy")
    result = results(casemate, "web")[-1]
    assert result["ExitCode"] == -1 and result["Output"] == "Health check exceeded timeout (0.5s)"
    casemate.ok("stop", "-t", "0", "web")
    casemate.ok("start", "web")

    def sleepers():
        return [pid for pid in host.pids() if "sleep\x00777" in host.read("/proc/%d/cmdline" % pid)]
    before = wait.until(sleepers, what="a check to run")
    wait.until(lambda: not any(pid in sleepers() for pid in before), what="all four of it to be gone")


def test_command_that_cannot_be_run(casemate, busybox):
    image = image_with(casemate, "broken:latest", {"Test": ["CMD", "/no/such"], "Interval": 100000000, "Retries": 1})
    start(casemate, image)
    until_health(casemate, "web", "unhealthy")
    result = results(casemate, "web")[-1]
    assert result["ExitCode"] != 0 and "/no/such" in result["Output"]


def test_start_period(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "test -e /tmp/up", "--health-retries", "1", "--health-start-period", "1h",
          "--health-start-interval", "50ms")
    results(casemate, "web", 3)
    assert health(casemate, "web")["Status"] == "starting" and health(casemate, "web")["FailingStreak"] == 0
    casemate.ok("exec", "web", "touch", "/tmp/up")
    until_health(casemate, "web", "healthy")
    casemate.ok("exec", "web", "rm", "/tmp/up")
    until_health(casemate, "web", "unhealthy")


def test_a_check_has_the_limits_of_its_container(casemate, busybox):
    """The same as `exec`: user, capabilities, filter, control group."""
    start(casemate, busybox, *FAST, "--user", "1000", "--health-cmd",
          "id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/self/cgroup; ulimit -n")
    checked = results(casemate, "web")[-1]["Output"]
    by_exec = casemate.ok("exec", "web", "sh", "-c",
                          "id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/self/cgroup; ulimit -n")
    assert checked == by_exec and "CapEff:\t0000000000000000" in checked


def test_checks_are_not_in_the_audit_log(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "true")
    results(casemate, "web", 3)
    with open(os.path.join(casemate.root, "audit", "log"), encoding="utf-8") as log:
        assert not [line for line in log if '"container.exec"' in line]


def test_a_new_run_starts_anew(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "true")
    until_health(casemate, "web", "healthy")
    casemate.ok("stop", "-t", "0", "web")
    assert "healthy" not in casemate.ok("ps", "-a")
    casemate.ok("start", "web")
    until_health(casemate, "web", "healthy")


def test_killed_tender_goes_on(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "true")
    results(casemate, "web", 2)
    for pid in casemate._processes():
        if host.read("/proc/%d/cmdline" % pid).split("\0")[1:2] == ["tend"]:
            os.kill(pid, signal.SIGKILL)
    last = health(casemate, "web")["Log"][-1]["Start"]
    wait.until(lambda: health(casemate, "web")["Log"][-1]["Start"] > last, what="checks to go on")


def test_rm_container_with_a_check_goes(casemate, busybox):
    casemate.ok("run", "--rm", *FAST, "--health-cmd", "true", busybox, "sleep", "0.5")
    casemate.assert_clean()


@pytest.mark.parametrize("damage", ["", "casemate-health 1 x healthy 0\n", "\0" * 100])
def test_damaged_records_count_as_none(casemate, busybox, damage):
    start(casemate, busybox, *FAST, "--health-cmd", "true")
    until_health(casemate, "web", "healthy")
    directory = os.path.join(casemate.root, "containers", inspect(casemate, "web")["Id"])
    for name in ("health.state", "health.json"):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
            f.write(damage)
    casemate.ok("ps")
    until_health(casemate, "web", "healthy")


def test_paused_is_left_alone(casemate, busybox):
    start(casemate, busybox, *FAST, "--health-cmd", "true", "--health-timeout", "2s", "--health-retries", "1")
    until_health(casemate, "web", "healthy")
    casemate.ok("pause", "web")
    seen = health(casemate, "web")["Log"][-1]["Start"]
    time.sleep(2.5)  # longer than interval and timeout
    casemate.ok("unpause", "web")
    wait.until(lambda: health(casemate, "web")["Log"][-1]["Start"] > seen, what="checks to go on")
    assert health(casemate, "web")["Status"] == "healthy"
    assert all(result["ExitCode"] == 0 for result in health(casemate, "web")["Log"])
