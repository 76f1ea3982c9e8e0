#pragma once
// A manager on the fake kernel with a simulated clock, for tests in sentences:
//
//   EngineWorld w{{"a.service", "[Service]\nExecStart=/bin/a\n"}};
//   w.start("a.service");
//   w.exit("a.service", 1);
//   REQUIRE(w.state("a.service") == "failed");

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/manager.h"
#include "support/fake_os.h"
#include "support/unit_table.h"

namespace onset::test {

class EngineWorld : public ManagerListener {
 public:
  using Files = std::vector<std::pair<std::string, std::string>>;
  explicit EngineWorld(Files files, ManagerConfig config = {});

  FakeOs os;
  UnitTable table;
  Manager manager;
  Timestamp now{MonoTime{1000000}, WallTime{1700000000000000}};

  /// Queue a job; its error message, or empty.
  std::string request(std::string_view unit, JobType type, JobMode mode = JobMode::Replace);
  std::string start(std::string_view unit) { return request(unit, JobType::Start); }
  std::string stop(std::string_view unit) { return request(unit, JobType::Stop); }

  /// The newest process of the unit ends.
  void exit(std::string_view unit, int status);
  void die(std::string_view unit, int signal);
  void notify(std::string_view unit, std::string_view text);
  /// Time passes; every deadline in between is run at its own time.
  void pass(Duration d);

  /// "active", "failed", …
  [[nodiscard]] std::string state(std::string_view unit) const;
  [[nodiscard]] std::string sub(std::string_view unit) const;
  /// "a.service start done" for every job that has ended, in order.
  std::vector<std::string> finished;
  [[nodiscard]] bool has_finished(std::string_view what) const;
  [[nodiscard]] bool has_job(std::string_view unit) const;

  void job_queued(const Job&) override {}
  void job_done(const Job& job, JobResult result) override;
  void unit_changed(UnitId) override {}
  bool is_pinned(UnitId id) const override { return pinned.contains(manager.graph().unit(id).id); }
  std::set<std::string> pinned;

 private:
  void end(std::string_view unit, ExitStatus status);
};

/// A file without default dependencies.
std::string bare_service(std::string_view exec, std::string_view unit = "",
                         std::string_view more = "");

}  // namespace onset::test
