# The compilers' options that name files of the SDK, under names without its version.
lib=/usr/local/lib/runcode
ln -s /usr/local/lib/dotnet/sdk/*/Roslyn/bincore $lib/csharp
ln -s /usr/local/lib/dotnet/sdk/*/FSharp $lib/fsharp
for assembly in /usr/local/lib/dotnet/packs/Microsoft.NETCore.App.Ref/*/ref/net9.0/*.dll; do
    echo "-r:$assembly"
done >$lib/references.rsp
