/* SPDX-License-Identifier: MIT */
/* The commands of pagerbench. Each gets the arguments behind its name; returns an exit status. */
#ifndef PAGERBENCH_H
#define PAGERBENCH_H

int command_list(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_live(int argc, char **argv);
int command_check(int argc, char **argv);
int command_compare(int argc, char **argv);

#endif
