{-# LANGUAGE ForeignFunctionInterface, TemplateHaskell #-}
-- What a program may not do when it runs, tried while it is compiled.
module Attempts (compiled) where
import Control.Exception
import Data.List (isInfixOf)
import Foreign.C.Types
import Language.Haskell.TH
import System.Environment
import System.Directory

foreign import ccall "socket" c_socket :: CInt -> CInt -> CInt -> IO CInt
foreign import ccall "unshare" c_unshare :: CInt -> IO CInt
foreign import ccall "setuid" c_setuid :: CInt -> IO CInt

tried :: String -> IO a -> IO String
tried name action = do
  result <- try (action >> return ()) :: IO (Either SomeException ())
  return (name ++ either (const ": refused\n") (const ": ALLOWED\n") result)

returned :: String -> IO CInt -> IO String
returned name call = do
  result <- call
  return (name ++ (if result < 0 then ": refused\n" else ": ALLOWED\n"))

found :: String -> [String] -> String
found name things = name ++ (if null things then ": refused (none)\n" else ": ALLOWED " ++ show things ++ "\n")

attempts :: IO String
attempts = do
  files <- mapM (\path -> tried path (readFile path >>= evaluate . length))
    ["/etc/shadow", "/proc/1/environ", "/root/.bashrc", "/dev/mem", "/proc/kcore"]
  writes <- mapM (\path -> tried ("write " ++ path) (writeFile path "x"))
    ["/usr/bin/left", "/etc/left", "/proc/sys/kernel/hostname", "/left"]
  families <- mapM (\family -> returned ("socket family " ++ show family) (c_socket family 3 0))
    ([0] ++ [2 .. 45])
  namespaces <- mapM (\flag -> returned ("unshare " ++ show flag) (c_unshare flag))
    [0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
  root <- returned "setuid" (c_setuid 0)
  environment <- getEnvironment
  let known = ["PATH", "LANG", "HOME", "TMPDIR", "USER", "PWD", "SHLVL", "OLDPWD", "_"]
  let others = [name | (name, _) <- environment, name `notElem` known, not ("GHC" `isInfixOf` name)]
  processes <- listDirectory "/proc"
  let foreignOnes = [pid | pid <- processes, all (`elem` ['0' .. '9']) pid, length pid > 3]
  return (concat (files ++ writes ++ families ++ namespaces ++ [root, found "variables" others,
    found "other processes" foreignOnes, "done\n"]))

compiled :: Q Exp
compiled = runIO attempts >>= litE . stringL
