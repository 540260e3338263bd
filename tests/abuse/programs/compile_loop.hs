{-# LANGUAGE TemplateHaskell #-}
-- Code that runs in the compiler and never ends, with ever more processes.
module Main where
import Language.Haskell.TH
import Control.Concurrent
import Control.Monad
main :: IO ()
main = print $(runIO (forever (forkIO (forever (return ())) >> threadDelay 1000)) >> [| () |])
