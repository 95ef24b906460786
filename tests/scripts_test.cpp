// The scripts that people meet, run on what a test can give them.

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/temporary_folder.hpp"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

// What `make test` says last of a report of ctest's.
Finished summary(const std::string& cases) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/report.xml") << "<?xml version=\"1.0\"?>\n<testsuite tests=\"9\">\n"
                                               << cases << "</testsuite>\n";
  return run_shell("awk -f " RIVAL_SOURCE_DIR "/scripts/summary.awk " + folder.path() + "/report.xml");
}

const std::string kPassed =
    "\t<testcase name=\"good\" classname=\"good\" time=\"1\" status=\"run\">\n"
    "\t\t<system-out>skipped: no, only a word\n</system-out>\n\t</testcase>\n";
const std::string kFailed =
    "\t<testcase name=\"bad &lt;1&gt;\" classname=\"bad\" time=\"1\" status=\"fail\">\n"
    "\t\t<failure message=\"\"/>\n\t\t<system-out>[ RUN      ] bad\nx.cpp:3: Failure\n  1 &lt; 2\n"
    "[  FAILED  ] bad\n</system-out>\n\t</testcase>\n";
const std::string kSkipped =
    "\t<testcase name=\"other\" classname=\"other\" time=\"1\" status=\"notrun\">\n"
    "\t\t<skipped message=\"SKIP_RETURN_CODE=77\"/>\n"
    "\t\t<system-out>x.cpp:3: Skipped\nskipped: no &quot;frobnicator&quot;; `make frob` makes one\n"
    "</system-out>\n\t</testcase>\n";
const std::string kAbsent =
    "\t<testcase name=\"third\" classname=\"third\" time=\"0\" status=\"disabled\">\n"
    "\t\t<system-out>Disabled</system-out>\n\t</testcase>\n";

TEST(TestSummary, CountsAndNamesWhatDidNotRun) {
  const Finished all = summary(kPassed + kFailed + kSkipped + kPassed + kAbsent);
  EXPECT_EQ(all.output,
            "\nSkipped:\n  other: no \"frobnicator\"; `make frob` makes one\n  third: not run\n"
            "\nFailed:\n  bad <1>\n    x.cpp:3: Failure\n      1 < 2\n"
            "\n2 passed, 1 failed, 2 skipped\n");
  EXPECT_EQ(all.exit_code, 0) << "ctest's own exit code tells of failures";
  EXPECT_EQ(summary(kPassed).output, "\n1 passed, 0 failed, 0 skipped\n");
}

TEST(TestSummary, NoTestsAreAFailure) {
  const Finished none = summary("");
  EXPECT_EQ(none.output, "\n0 passed, 0 failed, 0 skipped\n");
  EXPECT_EQ(none.exit_code, 1);
}

// .ci/run where all that it calls does nothing, but for `script`, which is `body`.
Finished ci(const std::string& script, const std::string& body, int seconds) {
  const TemporaryFolder folder;
  return run_shell(
      "cd " + folder.path() +
      " && mkdir .ci scripts bin && cp " RIVAL_SOURCE_DIR
      "/.ci/run .ci/ && for each in scripts/install-deps scripts/format scripts/fuzz scripts/tidy "
      "scripts/fresh bin/make bin/cmake bin/ctest; do printf '#!/bin/sh\\n' >$each; chmod +x $each; done && "
      "cat >>" +
      script + " <<'END'\n" + body + "\nEND\nPATH=$PWD/bin:$PATH RIVAL_CI_SECONDS=" + std::to_string(seconds) +
      " .ci/run 2>&1");
}

TEST(Ci, PassesOnlyIfNothingFails) {
  const Finished all = ci("scripts/format", "true", 600);
  EXPECT_EQ(all.exit_code, 0) << all.output;
  EXPECT_TRUE(all.output.ends_with("\n== all passed\n")) << all.output;
  EXPECT_EQ(ci("scripts/fresh", "exit 77", 600).exit_code, 0) << "no root can be made here";
  for (const char* script :
       {"scripts/format", "bin/ctest", "scripts/fuzz", "scripts/tidy", "scripts/fresh", "bin/make"})
    EXPECT_EQ(ci(script, "exit 3", 600).exit_code, 1) << script;
  const Finished warned = ci("bin/make", "echo 'x.cpp:1:1: warning: planted'", 600);
  EXPECT_EQ(warned.exit_code, 1);
  EXPECT_TRUE(warned.output.ends_with("ci: the build has warnings\nci: release failed\n")) << warned.output;
}

TEST(Ci, NamesWhatThereIsNoTimeFor) {
  const Finished cut = ci("scripts/fuzz", "sleep 100", 3);
  EXPECT_EQ(cut.exit_code, 0) << cut.output;
  EXPECT_TRUE(
      cut.output.ends_with("all passed, but for what there was no time for: fuzzers threads sanitizers slow fresh\n"))
      << cut.output;
}

}  // namespace
}  // namespace rival
