{-# LANGUAGE TypeFamilies, DataKinds, UndecidableInstances #-}
{-# OPTIONS_GHC -freduction-depth=0 #-}
-- A type whose computation never ends, with the compiler's own guard switched off.
module Main where
import Data.Proxy
type family Loop a where Loop a = Loop [a]
endless :: Proxy (Loop Int) -> Proxy Bool
endless x = x
main :: IO ()
main = print (endless Proxy)
