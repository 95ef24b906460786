# Sums up a JUnit report of ctest. A test that skips itself says why, and what would run it, in a line that holds
# "skipped: "; without one, what ctest says is shown. Of one that fails, the last lines are shown that are not the test
# framework's own. Fails if there is no test.
function attribute(name) {
  return match($0, " " name "=\"[^\"]*\"") ? unescaped(substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)) : ""
}
function unescaped(text) {
  gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
  gsub(/&amp;/, "\\&", text)
  return text
}
/<testcase / { name = attribute("name"); status = attribute("status"); why = ""; lines = 0; said = 0 }
status == "fail" && /<system-out>/ { said = 1 }
status == "fail" && said {
  line = $0; sub(/^[ \t]*<system-out>/, "", line)
  if (sub(/<\/system-out>.*/, "", line)) said = 0
  if (line !~ /^(\[|Running main|Note: Google Test|[0-9 ]*FAILED TEST|[ \t]*$)/) words[lines++] = unescaped(line)
}
status == "notrun" && /<skipped / { why = attribute("message") }
status == "notrun" && !told && match($0, /skipped: /) {
  why = unescaped(substr($0, RSTART + RLENGTH)); sub(/<\/.*/, "", why); told = 1
}
/<\/testcase>/ {
  if (status == "run") ++passed
  else if (status == "fail") {
    ++failed; failures = failures "  " name "\n"
    for (i = lines > 20 ? lines - 20 : 0; i < lines; ++i) failures = failures "    " words[i] "\n"
  }
  else { ++skipped; skips = skips "  " name ": " (why == "" ? "not run" : why) "\n" }
  status = ""; told = 0
}
END {
  if (skipped) printf "\nSkipped:\n%s", skips
  if (failed) printf "\nFailed:\n%s", failures
  printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped
  exit passed + failed + skipped == 0
}
