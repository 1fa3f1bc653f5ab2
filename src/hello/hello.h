/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of `hello`. Each gets the words from the verb on (argv[0] is the verb) and returns the exit status.
 */
#pragma once

int verb_evidence(int argc, char **argv);
int verb_probe(int argc, char **argv);
int verb_help(int argc, char **argv);

int verb_true(int argc, char **argv);
int verb_exit(int argc, char **argv);
int verb_sleep(int argc, char **argv);
int verb_echo(int argc, char **argv);
int verb_id(int argc, char **argv);
int verb_env(int argc, char **argv);

int verb_cat(int argc, char **argv);
int verb_write(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_ls(int argc, char **argv);

int verb_hog_memory(int argc, char **argv);
int verb_hog_files(int argc, char **argv);
int verb_forkbomb(int argc, char **argv);
int verb_spin(int argc, char **argv);

/* connect PATH|@NAME: to a UNIX stream socket by path or abstract name. */
int verb_connect(int argc, char **argv);

int verb_signals(int argc, char **argv);
int verb_tty(int argc, char **argv);

/* One number argument within [min, max]; -1 with a line on standard error when it is something else. */
long argument_number(const char *verb, const char *text, long min, long max);

/* "hello: VERB: WHAT: strerror(errno)" on standard error; returns 1. */
int verb_fail(const char *verb, const char *what);
