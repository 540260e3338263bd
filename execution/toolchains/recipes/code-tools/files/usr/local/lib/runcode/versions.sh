# Names and versions of the tools, a line each.
cd /opt/code-tools
echo "clang-format $(clang-format --version | sed 's/.* version \([0-9.]*\).*/\1/')"
echo "rubocop $(rubocop --version)"
echo "rustfmt $(rustfmt --version | sed 's/rustfmt \([0-9.]*\).*/\1/')"
for package in eslint prettier @prettier/plugin-php; do
    echo "$package $(node -p "require('./node_modules/$package/package.json').version")"
done
