# Settings on the command line of make that none of its goals takes, and those that they take, as a sentence; nothing if all are taken.
# A goal takes what its rule reads, itself or through a variable of lower-case letters, and what its description writes as NAME=.
# Variables: goals, given, each separated by spaces. For POSIX awk, because macOS has no other.

# What a line reads: settings, and variables that read settings.
function read(line, place) {
  while (match(line, /\$\([A-Z][A-Z0-9_]*\)|[A-Z][A-Z0-9_]+=|\$\([a-z_]+\)/)) {
    name = substr(line, RSTART, RLENGTH)
    gsub(/[^A-Za-z0-9_]/, "", name)
    # Variables of all commands are not asked for.
    if (name != "MAKEFILE_LIST" && name !~ /^EBPF_DATAPLANE_/) readBy[place] = readBy[place] " " name
    line = substr(line, RSTART + RLENGTH)
  }
}

function take(place,    count, i, names) {
  if (seen[place]++) return
  count = split(readBy[place], names, " ")
  for (i = 1; i <= count; i++)
    if (names[i] ~ /^[a-z]/) take(names[i])
    else if (!taken[names[i]]++) allowed = allowed (allowed == "" ? "" : ", ") names[i]
}

/^[a-z_]+ [:?]?= / { read($0, $1) }
/^[a-z0-9-]+( [a-z0-9-]+)*:/ { split($0, halves, ":"); targets = halves[1]; known = known " " targets }
/^[a-z0-9-]+( [a-z0-9-]+)*:|^\t/ {
  count = split(targets, each, " ")
  for (i = 1; i <= count; i++) read($0, "make " each[i])
}

END {
  goalCount = split(goals, goal, " ")
  for (i = 1; i <= goalCount; i++) {
    # What make itself refuses.
    if (index(known " ", " " goal[i] " ") == 0) exit
    take("make " goal[i])
  }
  settingCount = split(given, setting, " ")
  for (i = 1; i <= settingCount; i++)
    if (!(setting[i] in taken)) wrong = wrong (wrong == "" ? "" : ", ") setting[i]
  if (wrong == "") exit
  printf "make %s takes no setting %s; allowed: %s (an environment variable stands before make)", goals, wrong, allowed == "" ? "none" : allowed
}
