# The kernel of a Ruby console, behind the channel on descriptor 3 (execution/sandbox/channel.py).
#
# Cells run in the main thread, in one binding that keeps their local variables; a second thread reads the channel, so
# that an interrupt gets through while a cell runs. The value is what irb shows behind its arrow.

require "json"
require "stringio"

module RuncodeKernel
  SOURCE = "(irb)"
  CHANNEL = IO.for_fd(3, "r+b").tap { |io| io.sync = true }
  CELLS = Queue.new
  LOCK = Mutex.new

  class << self
    def send_event(event, **fields)
      body = JSON.generate({ event:, **fields })
      LOCK.synchronize { CHANNEL.write([body.bytesize].pack("N"), body) }
    end

    def receive
      size = CHANNEL.read(4) or exit!(0)
      body = CHANNEL.read(size.unpack1("N")) or exit!(0)
      JSON.parse(body, symbolize_names: true)
    end

    # In a thread of its own.
    def listen(main)
      loop do
        message = receive
        if message[:do] == "execute"
          CELLS << message
        elsif @busy
          main.raise(Interrupt, "")
        end
      end
    end

    def serve(scope)
      @given = $stdin
      main = Thread.current
      Thread.new { listen(main) }.report_on_exception = true
      send_event("ready")
      # An interrupt reaches the cell alone, never what is told of it.
      Thread.handle_interrupt(Interrupt => :never) do
        loop do
          run(CELLS.pop, scope)
        rescue Interrupt
          # It came when its cell had just ended.
        end
      end
    end

    def run(cell, scope)
      ENV.update(cell[:env].transform_keys(&:to_s))
      # None at all where nobody feeds the cell, instead of waiting for it. A stream of the user's own stays.
      $stdin = @given = cell[:streamed] ? STDIN : StringIO.new if $stdin.equal?(@given)
      pid = Process.pid
      value, error = outcome(cell[:code], scope)
      # A child that the cell forked has come to the end of the cell.
      exit!(0) if Process.pid != pid
      [$stdout, $stderr].each { |stream| stream.flush rescue nil }
      send_event("item", data: { "text/plain": value }, primary: true) if value
      send_event("done", error:)
    end

    def outcome(code, scope)
      @busy = true
      value = Thread.handle_interrupt(Interrupt => :immediate) do
        result = scope.eval(code, SOURCE, 1)
        scope.local_variable_set(:_, result)
        printable(result.inspect.to_s)
      end
      [value, nil]
    rescue SystemExit => left
      # exit in a console leaves it; here there is nothing to leave.
      [nil, left.success? ? nil : told(left)]
    rescue Exception => error
      [nil, told(error)]
    ensure
      @busy = false
    end

    def told(error)
      # The frames of this file say nothing about the cell.
      frames = (error.backtrace || []).take_while { |line| !line.start_with?(__FILE__) }
      error.set_backtrace(frames)
      text = frames.empty? ? "#{error.message} (#{error.class})" : error.full_message(highlight: false, order: :top)
      { name: error.class.name.to_s, value: printable(error.message.to_s), traceback: printable(text).chomp }
    rescue Exception
      { name: error.class.name.to_s, value: "", traceback: error.class.name.to_s }
    end

    def printable(text)
      text.encode("UTF-8", invalid: :replace, undef: :replace).scrub
    end
  end
end

Dir.chdir("/work")
$stdout.sync = $stderr.sync = true
$LOAD_PATH.unshift("/work")
$PROGRAM_NAME = "irb"
RuncodeKernel.serve(TOPLEVEL_BINDING.dup)
