# Ruby's own parser over the file that is named; prints what it says as JSON.

require "json"
require "prism"

result = Prism.parse(File.read(ARGV[0]))
findings = { "error" => result.errors, "warning" => result.warnings }.flat_map do |severity, messages|
  messages.map do |message|
    place = message.location
    { line: place.start_line, column: place.start_character_column + 1, severity: severity, message: message.message }
  end
end
puts JSON.generate(findings)
