# Runs a Minitest suite against a program, in the sandbox: its report goes into the file that the input names.
# The suite is UnitTests.rb, a whole class or bare test methods; it sees all that the program defines.

require "json"
require "minitest"
require "minitest/spec"

MiniTest = Minitest unless defined?(MiniTest)

module RuncodeUnitTests
  SUITE = "/work/UnitTests.rb"
  MOST = 200
  MOST_CHARACTERS = 10_000

  module_function

  def users(backtrace)
    lines = (backtrace || []).select { |line| line.start_with?("/work/") && !line.start_with?("/work/.runcode/") }
    lines.map { |line| line.delete_prefix("/work/") }.join("\n")
  end

  def load_suite
    code = File.read(SUITE)
    bare = code.match?(/^\s*def\s+test_/) && !code.match?(/^\s*(class|module)\s|\bdescribe\b/)
    code = "class UnitTests < Minitest::Test; #{code}\nend" if bare
    eval(code, TOPLEVEL_BINDING, SUITE, 1)
  end

  def failure(name, message, backtrace)
    { name: name, message: message.to_s.scrub[0, MOST_CHARACTERS], stack: users(backtrace)[0, MOST_CHARACTERS] }
  end

  def told(name, fault)
    error = fault.respond_to?(:error) ? fault.error : fault
    text = fault.is_a?(Minitest::UnexpectedError) ? "#{error.class}: #{error.message}" : fault.message
    failure(name, text, error.backtrace)
  end

  def run_tests
    Minitest.seed = 1
    ran = 0
    failures = []
    Minitest::Runnable.runnables.each do |suite|
      suite.runnable_methods.each do |name|
        ran += 1
        begin
          result = suite.new(name).run
          failures.concat(result.failures.map { |fault| told(name, fault) }) unless result.skipped?
        rescue SystemExit => e
          failures << failure(name, "It called exit.", e.backtrace)
        end
      end
    end
    { ran: ran, failures: failures.first(MOST), error: "" }
  end

  def report(entry)
    $0 = "/work/UnitTests.rb"
    load "/work/#{entry}"
    load_suite
    run_tests
  rescue Exception => e
    words = e.is_a?(SyntaxError) ? e.message : "#{e.message} (#{e.class})"
    { ran: 0, failures: [], error: [words.gsub("/work/", ""), users(e.backtrace)].reject(&:empty?).join("\n")[0, MOST_CHARACTERS] }
  end
end

name, entry = $stdin.read.split
$LOAD_PATH.unshift("/work")
Dir.chdir("/work")
result = RuncodeUnitTests.report(entry)
File.write("/work/#{name}", JSON.generate(result))
# Nothing of the program's may come after it.
exit!(0)
