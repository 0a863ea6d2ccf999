(* What the functions of a Lipschitz constant on a metric space shatter: points that are far enough apart (B21). *)

From Coq Require Import Reals Lra Lia List.
Import ListNotations.
Open Scope R_scope.

Section Space.
  Context {A : Type}.
  Variable d : A -> A -> R.

  Definition metric : Prop :=
    (forall x y, 0 <= d x y) /\ (forall x y, d x y = 0 <-> x = y) /\ (forall x y, d x y = d y x)
    /\ (forall x y z, d x z <= d x y + d y z).

  Definition lipschitz (C : R) (f : A -> R) : Prop := forall x y, Rabs (f x - f y) <= C * d x y.

  (* For some levels and every choice of signs some function is a margin above its level where the sign is +, else below. *)
  Definition shattered (C gamma : R) (S : list A) : Prop :=
    exists level : A -> R, forall sign : A -> bool, exists f, lipschitz C f
    /\ forall x, In x S -> if sign x then level x + gamma <= f x else f x <= level x - gamma.

  Definition separated (apart : R) (S : list A) : Prop :=
    forall x y, In x S -> In y S -> x <> y -> apart <= d x y.

  (* n is the size of the largest sets of this kind. *)
  Definition largest (kind : list A -> Prop) (n : nat) : Prop :=
    (exists S, NoDup S /\ kind S /\ length S = n) /\ (forall S, NoDup S -> kind S -> (length S <= n)%nat).

  (* McShane's extension: the least of v y + C d(z, y) over the points y of a list that is not empty. *)
  Fixpoint extension (C : R) (v : A -> R) (x : A) (rest : list A) (z : A) : R :=
    match rest with
    | [] => v x + C * d z x
    | y :: more => Rmin (v x + C * d z x) (extension C v y more z)
    end.

  Lemma extension_le C v rest : forall x z y, In y (x :: rest) -> extension C v x rest z <= v y + C * d z y.
  Proof.
    induction rest as [|w more IH]; intros x z y Hy; simpl extension.
    - destruct Hy as [<-|[]]; lra.
    - destruct Hy as [<-|Hy]; [apply Rmin_l|].
      eapply Rle_trans; [apply Rmin_r|]. now apply IH.
  Qed.

  Lemma extension_ge C v rest : forall x z bound,
    (forall y, In y (x :: rest) -> bound <= v y + C * d z y) -> bound <= extension C v x rest z.
  Proof.
    induction rest as [|w more IH]; intros x z bound H; simpl extension; [apply H; now left|].
    apply Rmin_glb; [apply H; now left|]. apply IH. intros y Hy. apply H. now right.
  Qed.

  Lemma extension_lipschitz C v x rest : 0 <= C -> metric -> lipschitz C (extension C v x rest).
  Proof.
    intros pos [_ [_ [sym triangle]]].
    assert (one : forall z w, extension C v x rest z - C * d z w <= extension C v x rest w).
    { intros z w. apply extension_ge. intros y Hy.
      pose proof (extension_le C v rest x z y Hy) as le.
      assert (C * d z y <= C * d z w + C * d w y); [|lra].
      rewrite <- Rmult_plus_distr_l. apply Rmult_le_compat_l; [easy|apply triangle]. }
    intros z w. pose proof (one z w). pose proof (one w z) as back. rewrite (sym w z) in back.
    unfold Rabs. destruct Rcase_abs; lra.
  Qed.

  (* It has the given values where these are C-Lipschitz already. *)
  Lemma extension_at C v x rest y : metric -> In y (x :: rest) ->
    (forall w, In w (x :: rest) -> v y - v w <= C * d y w) -> extension C v x rest y = v y.
  Proof.
    intros [_ [zero _]] Hy H. apply Rle_antisym.
    - pose proof (extension_le C v rest x y y Hy) as le. rewrite (proj2 (zero y y) eq_refl) in le. lra.
    - apply extension_ge. intros w Hw. specialize (H w Hw). lra.
  Qed.

  Lemma shattered_is_separated C gamma S : 0 < C -> metric -> shattered C gamma S -> separated (2 * gamma / C) S.
  Proof.
    intros pos [_ [zero _]] [level all] x y Hx Hy differs.
    assert (d y x <> 0) as far by (intros H; apply differs; symmetry; now apply zero).
    destruct (all (fun z => if Req_EM_T (d z x) 0 then true else false)) as [f [f_lipschitz f_at]].
    destruct (all (fun z => if Req_EM_T (d z x) 0 then false else true)) as [h [h_lipschitz h_at]].
    pose proof (f_at x Hx) as f_x. pose proof (f_at y Hy) as f_y.
    pose proof (h_at x Hx) as h_x. pose proof (h_at y Hy) as h_y. cbv beta in *.
    destruct (Req_EM_T (d x x) 0) as [_|no]; [|exfalso; apply no; now apply zero].
    destruct (Req_EM_T (d y x) 0) as [same|_]; [now contradiction far|].
    pose proof (Rle_trans _ _ _ (Rle_abs _) (f_lipschitz x y)).
    pose proof (h_lipschitz x y) as back. rewrite Rabs_minus_sym in back.
    pose proof (Rle_trans _ _ _ (Rle_abs _) back).
    apply (Rmult_le_reg_l C); [easy|]. replace (C * (2 * gamma / C)) with (2 * gamma) by (field; lra). lra.
  Qed.

  Lemma separated_is_shattered C gamma S : 0 < C -> 0 < gamma -> metric ->
    separated (2 * gamma / C) S -> shattered C gamma S.
  Proof.
    intros pos margin is_metric far. exists (fun _ => 0). intros sign.
    set (v := fun x => if sign x then gamma else - gamma).
    destruct S as [|x rest].
    - exists (fun _ => 0). split; [|intros x []]. intros x y. replace (0 - 0) with 0 by ring. rewrite Rabs_R0.
      destruct is_metric as [nonneg _]. apply Rmult_le_pos; [lra|apply nonneg].
    - exists (extension C v x rest). split; [apply extension_lipschitz; [lra|easy]|].
      intros y Hy. rewrite extension_at; [unfold v; destruct (sign y); lra|easy|easy|].
      intros w Hw. destruct is_metric as [nonneg [zero _]].
      destruct (Req_EM_T (d y w) 0) as [same|apart].
      + apply zero in same. subst w. rewrite (proj2 (zero y y) eq_refl). lra.
      + assert (y <> w) as differs by (intros H; apply apart; now apply zero).
        specialize (far y w Hy Hw differs).
        apply (Rmult_le_compat_l C) in far; [|lra].
        replace (C * (2 * gamma / C)) with (2 * gamma) in far by (field; lra).
        unfold v. destruct (sign y), (sign w); lra.
  Qed.

  Theorem fat_shattering_is_packing C gamma n : 0 < C -> 0 < gamma -> metric ->
    (largest (shattered C gamma) n <-> largest (separated (2 * gamma / C)) n).
  Proof.
    intros pos margin is_metric.
    assert (same : forall S, shattered C gamma S <-> separated (2 * gamma / C) S).
    { intros S. split; [now apply shattered_is_separated|now apply separated_is_shattered]. }
    unfold largest. split; intros [[S [distinct [kind size]]] most]; (split; [exists S; split; [easy|split; [now apply same|easy]]|]);
      intros T unique H; apply most; try easy; now apply same.
  Qed.
End Space.
